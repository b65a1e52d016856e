"""The catalogs that are understood: one file for each."""
