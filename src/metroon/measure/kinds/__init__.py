"""The kinds of indicators: ``kind: X`` is the file ``X.py``."""
