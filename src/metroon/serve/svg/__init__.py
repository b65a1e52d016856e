"""The chart kit: shapes in SVG, words in HTML."""
