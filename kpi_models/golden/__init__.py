"""Golden cases, worked out by hand, and the small warehouses they are run in."""

from .cases import Case, failures, load_cases
from .facts import spread
from .tables import create, fill

__all__ = ["Case", "create", "failures", "fill", "load_cases", "spread"]
