"""The kinds of tables: ``kind: X`` is the file ``X.py``."""
