"""Dagster, thin: what runs, in which order, behind which gate. Connecting, modelling and KPIs live elsewhere."""
