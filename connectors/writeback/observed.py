"""What change-data-capture last saw of a record in the target: values, version, and whether a version ever passed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from connectors.writeback.errors import Refused, TargetUnavailable
from connectors.writeback.mapping import EntityRule, Mapping


@dataclass(frozen=True)
class Seen:
    """One record as observed: canonical text per writable field, and its version."""

    values: dict[str, str | None]
    version: str


class Observed:
    """Reads a system's landing file, opened read-only for as long as the steps of one command take."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, system: str, mapping: Mapping) -> None:
        self._connection = connection
        self._schema = f"raw_{system}"
        self._mapping = mapping

    def record(self, entity: str, key: str) -> Seen | None:
        """The current state of one record, or None when the target has none of that key."""
        rule = self._mapping.entity(entity)
        rows = self._rows(rule, rule.stream, key, None)
        return rows[-1] if rows else None

    def newest(self, entity: str, key: str) -> Seen | None:
        """As `record`, but None also where nothing of the entity has landed."""
        try:
            return self.record(entity, key)
        except Refused:
            return None

    def at_version(self, entity: str, key: str, version: str) -> list[Seen]:
        """The record as the change log holds it at `version`: more than once where a change does not raise it."""
        rule = self._mapping.entity(entity)
        return self._rows(rule, f"{rule.stream}__log", key, version)

    def _rows(self, rule: EntityRule, relation: str, key: str, version: str | None) -> list[Seen]:
        columns = ", ".join(_quoted(name) for name in [rule.version, *rule.fields])
        where = f"{_quoted(rule.key)}::varchar = ?"
        parameters: list[Any] = [key]
        if relation.endswith("__log"):
            where += f" and _op <> 'd' and {_quoted(rule.version)}::varchar = ?"
            parameters.append(version)
        sql = f"select {columns} from {_quoted(self._schema)}.{_quoted(relation)} where {where}"
        try:
            found = self._connection.execute(sql, parameters).fetchall()
        except duckdb.CatalogException:
            raise Refused(f"nothing has landed yet of {rule.stream}; run a pass first") from None
        names = list(rule.fields)
        return [
            Seen(
                {name: rule.fields[name].told(_plain(value)) for name, value in zip(names, row[1:], strict=True)},
                str(row[0]),
            )
            for row in found
        ]


@contextmanager
def open_observed(landing: Path, system: str, mapping: Mapping, wait_s: float = 30.0) -> Iterator[Observed]:
    """Open the landing file read-only, waiting up to `wait_s` seconds for a landing run to let go of it."""
    if not landing.exists():
        raise Refused(f"system {system!r} has landed nothing yet; run a pass first")
    deadline = time.monotonic() + wait_s
    while True:
        try:
            connection = duckdb.connect(str(landing), read_only=True)
            break
        except duckdb.IOException as error:
            if time.monotonic() > deadline:
                raise TargetUnavailable(f"{landing.name} is still locked after {wait_s:.0f} s: {error}") from error
            time.sleep(0.2)
    try:
        yield Observed(connection, system, mapping)
    finally:
        connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
