"""Factories of assets, one file per step of a pass; each takes what it needs and returns definitions."""
