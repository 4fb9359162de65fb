"""A distributor in a box: worlds (what happened) and systems (real servers that tell it).

Imports nothing of the product.
"""
