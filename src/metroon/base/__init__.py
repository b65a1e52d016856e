"""The ground that every room stands on.

In: nothing. Out: the words all rooms use (problems, kinds, estimates, periods, places) and the engine.
"""
