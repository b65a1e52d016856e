"""The doors: ``kind: X`` is the file ``X.py``."""
