"""The kinds of sources: ``kind: X`` is the file ``X.py``."""
