"""Do the two programs agree? Publication waits for the answer."""

from .compare import AGREED, DISAGREED, NOT_COMPARED, AgreementResult, compare
from .files import agree, read_cells, store

__all__ = ["AGREED", "DISAGREED", "NOT_COMPARED", "AgreementResult", "agree", "compare", "read_cells", "store"]
