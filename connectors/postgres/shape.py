"""A stream's table as its source describes it, and what differs between two descriptions.

The stream carries rows. A default of a new column, a rewritten type, a renamed label, a partition attached with its
rows or a table that left the publication for a while come without one, and only the description tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

import msgspec

from connectors.model import Column, PermanentError
from connectors.postgres.types import duckdb_type


@dataclass(frozen=True)
class SourceColumn:
    """A published column: what a Relation message says of it (name, type oid, modifier), the number that a column of
    the same name added later does not have, and its type in words.
    """

    name: str
    oid: int
    modifier: int
    number: int = 0
    type: str = ""

    @property
    def sent(self) -> tuple[str, int, int]:
        return self.name, self.oid, self.modifier


@dataclass(frozen=True)
class Shape:
    """A table as the catalogue describes it.

    `identity` must stay equal, or rows may have come or gone without a change; `columns` and `key` must stay equal too.
    `storage` changes with each rewrite (and truncate), `versions` (column number -> version of its description) with
    each change of a column: only both together mean that values may have been rewritten. `labels` are those of enums,
    by oid. `filled` are columns whose old rows have a value nobody sent.
    """

    columns: tuple[SourceColumn, ...]
    key: tuple[str, ...]
    identity: str
    storage: str
    versions: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    filled: tuple[str, ...] = ()

    @property
    def sent(self) -> tuple[tuple[str, int, int], ...]:
        return tuple(column.sent for column in self.columns)

    @property
    def oid(self) -> int:
        """The table's own number, which it keeps under every name; `identity` begins with it."""
        return int(self.identity.split(" ", 1)[0])

    def packed(self) -> str:
        return msgspec.json.encode(asdict(self)).decode()

    @staticmethod
    def unpacked(text: str) -> Shape:
        return msgspec.json.decode(text, type=Shape)


@dataclass(frozen=True)
class Followed:
    """A stream that can be followed. `is_unique`: an index of the source proves its key. `parents_only`: the table has
    no rows of descendants in it; `row_filter` is the publication's.
    """

    name: str
    table: str
    shape: Shape
    is_unique: bool = True
    parents_only: bool = True
    row_filter: str | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        shape = self.shape
        return tuple(Column(c.name, duckdb_type(c.oid, c.modifier), c.name in shape.key) for c in shape.columns)


By = Literal["source", "contract", "key"]


class StreamStopped(PermanentError):
    """One stream cannot be followed; the others can. `by` is what stopped it: what the source offers (looked at again
    in each pass), the contract, or a key that is not one. `shape` is that of the table when it stopped, where it
    never landed.
    """

    def __init__(self, stream: str, message: str, way_out: str, by: By = "source", shape: Shape | None = None) -> None:
        super().__init__(message, way_out)
        self.stream, self.message, self.by, self.shape = stream, message, by, shape


@dataclass(frozen=True)
class Difference:
    """How a table differs from what it was. `same`: the stream adds up to it. `added`: it has columns more, empty in
    every old row, so the stream still does. `changed`: only reading it again tells. `of_columns` says that its columns
    are others, which a contract may forbid.
    """

    kind: Literal["same", "added", "changed"]
    words: str = ""
    of_columns: bool = False


def difference(old: Shape, new: Shape) -> Difference:
    """What happened to a table between two looks at it."""
    if old.sent != new.sent or [c.number for c in old.columns] != [c.number for c in new.columns]:
        more = new.columns[len(old.columns) :]
        is_added = (
            new.columns[: len(old.columns)] == old.columns
            and old.identity == new.identity
            and old.storage == new.storage
            and old.key == new.key
            and not any(c.name in new.filled for c in more)
        )
        return Difference("added" if is_added else "changed", _columns_in_words(old, new), of_columns=True)
    if old.key != new.key:
        return Difference("changed", f"its key is {', '.join(new.key)} now, it was {', '.join(old.key)}")
    if old.identity != new.identity:
        return Difference("changed", "the table, its partitions or its publication are others than before")
    if old.storage != new.storage and any(new.versions.get(number) != at for number, at in old.versions.items()):
        return Difference("changed", "the table was rewritten")
    if any(new.labels.get(oid, label) != label for oid, label in old.labels.items()):
        return Difference("changed", "a label of an enum was renamed")
    return Difference("same")


def _columns_in_words(old: Shape, new: Shape) -> str:
    before, after = ({c.number: c for c in shape.columns} for shape in (old, new))
    parts = []
    for number in sorted(before.keys() | after.keys()):
        was, now = before.get(number), after.get(number)
        if was is None and now is not None:
            parts.append(f"{now.name} ({now.type}) came")
        elif now is None and was is not None:
            parts.append(f"{was.name} went")
        elif was and now and was.name != now.name:
            parts.append(f"{was.name} is called {now.name} now")
        elif was and now and was.sent != now.sent:
            parts.append(f"{now.name} is {now.type} now, it was {was.type}")
    return "; ".join(parts) or "the order of its columns changed"
