"""A distributor in a box: worlds that know what happened, and servers that tell it in their own dialect.

Nothing here imports the product; the product talks to it over sockets only.
"""
