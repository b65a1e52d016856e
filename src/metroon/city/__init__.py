"""What the city declared: the only reader of the city repo's YAML.

In: the folder of a city repo. Out: one ``City`` with its products, contracts, places and measures, or every fault.
"""

from metroon.city.city import City, Declared, Geography, Period, Product, load, no_city
from metroon.city.contract import Column, Contract

__all__ = ["City", "Column", "Contract", "Declared", "Geography", "Period", "Product", "load", "no_city"]
