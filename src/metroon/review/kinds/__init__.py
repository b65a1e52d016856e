"""The evidence kinds: ``kind: X`` is the file ``X.py``."""
