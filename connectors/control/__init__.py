"""The control store: what must survive the loss of every DuckDB file.

Here belong the write-back ledger, approvals, and the mirror of landed positions that sensors, `status` and pages read.
What was landed itself does not belong here: the DuckDB cursor stays the truth.
"""

from connectors.control.keeping import Keeping
from connectors.control.mirror import Mirror
from connectors.control.reading import read_control
from connectors.control.store import Control, open_control

__all__ = ["Control", "Keeping", "Mirror", "open_control", "read_control"]
