"""One DuckDB file per system: change log, current state, cursor, schema versions, dead letters and batches, in one
transaction.
"""

from connectors.landing.changes import Changes
from connectors.landing.file import Landing
from connectors.landing.state import StateCheck

__all__ = ["Changes", "Landing", "StateCheck"]
