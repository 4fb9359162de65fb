"""Write-back: a correction becomes true in the target once, or waits with a reason.

The four steps stand in four files: `plan` (three-way, per field), `approve` (of the exact change-set, by its hash),
`apply` (durable attempt, version precondition, in doubt until a read decides) and `verify` (our own change, seen
again through change-data-capture). `ledger` holds their records.
"""

from connectors.writeback.apply import apply
from connectors.writeback.approve import approve
from connectors.writeback.close import abandon, abandon_correction, release
from connectors.writeback.correct import correct
from connectors.writeback.ledger import writes
from connectors.writeback.plan import plan
from connectors.writeback.verify import verify

__all__ = ["abandon", "abandon_correction", "apply", "approve", "correct", "plan", "release", "verify", "writes"]
