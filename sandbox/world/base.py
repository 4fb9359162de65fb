"""What every world offers to the sandbox's servers.

A world moves forward in time and hands over what its systems would have written since the last call. ERP rows are full
images with naive local times in `erp_zone`, `Decimal` money and Python dates; OMS and carrier documents are JSON-ready
dicts; WMS files are finished bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Progress = Callable[[int, int], None]
"""Called with (days done, days asked for) while a world advances."""


@dataclass(slots=True)
class RowChange:
    """One change of one ERP row: the full row for `upsert`, only its key column for `delete`."""

    op: str
    table: str
    row: dict[str, Any]


@dataclass(slots=True)
class DropFile:
    """One finished file in a warehouse's outbound folder."""

    site: str
    name: str
    content: bytes


@dataclass(slots=True)
class Emission:
    """Everything the four systems wrote since the last call, each list in time order."""

    erp: list[RowChange] = field(default_factory=list)
    oms: list[dict[str, Any]] = field(default_factory=list)
    wms: list[DropFile] = field(default_factory=list)
    carrier: list[dict[str, Any]] = field(default_factory=list)


class World(Protocol):
    """A source of business history with a ledger of its own truth."""

    name: str
    erp_zone: str

    @property
    def now(self) -> datetime:
        """The world's clock, aware UTC."""
        ...

    def advance(self, until: datetime, progress: Progress | None = None) -> Emission:
        """Let time pass until `until` (aware UTC) and return what was written meanwhile."""
        ...

    def truth(self) -> list[dict[str, Any]]:
        """The true KPI cells as of `now`, in the rows of `crossdock kpi --json`."""
        ...
