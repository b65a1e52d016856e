"""The kinds of techniques: ``kind: X`` is the file ``X.py``."""
