"""Worlds: what happened, when, and the true KPI values that follow."""
