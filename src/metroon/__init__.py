"""Metroon: from raw city files to neighborhood results people can trust, in one install."""

__version__ = "0.1.0"
