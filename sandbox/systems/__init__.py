"""Real servers that play the ERP, OMS, WMS and carrier of a distributor, on loopback."""
