"""Postgres by logical replication: an exported snapshot, then pgoutput decoded column by column.

The reading role needs REPLICATION and SELECT on the published tables, and nothing else.
"""
