"""Metroon: from raw city files to neighborhood results people can trust, in one install."""

from importlib.metadata import version

__version__ = version("metroon")
