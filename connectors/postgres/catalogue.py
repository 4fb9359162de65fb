"""What the catalogue says of every stream's table, asked in one go: its shape, or why it cannot be followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from connectors.landing.tables import is_ours
from connectors.model import PermanentError, quoted
from connectors.postgres.catalogue_query import NAMESPACES, RELATIONS
from connectors.postgres.relation import StreamSpec
from connectors.postgres.shape import Followed, Shape, SourceColumn, StreamStopped

NO_CHANGES = {"v": "a view", "m": "a materialized view", "f": "a foreign table", "S": "a sequence", "c": "a type"}
"""pg_class.relkind of what has no changes of its own."""


@dataclass(frozen=True)
class Looked:
    """Every declared stream, either followed or with the reason why not."""

    followed: Mapping[str, Followed]
    stopped: Mapping[str, StreamStopped]


def look(connection: psycopg.Connection, publication: str, streams: Sequence[StreamSpec]) -> Looked:
    """Ask the catalogue about every stream, in the snapshot of `connection`'s transaction where it has one.

    Raises PermanentError for a publication that does not exist or leaves out operations: that stops all streams.
    """
    flags = connection.execute(
        "select pubinsert and pubupdate and pubdelete and pubtruncate from pg_publication where pubname = %s",
        [publication],
    ).fetchone()
    if flags is None:
        tables = ", ".join(quoted(*s.table.split(".", 1)) for s in streams)
        raise PermanentError(
            f"There is no publication {publication} in this database.",
            f"Create it there: create publication {quoted(publication)} for table {tables};",
        )
    if not flags[0]:
        raise PermanentError(
            f"Publication {publication} leaves out some operations.", "Publish insert, update, delete and truncate."
        )
    published = _published(connection, publication)
    query = RELATIONS.replace("$namespaces", NAMESPACES if connection.info.server_version >= 150000 else "null")
    rows = connection.execute(
        query,  # type: ignore[arg-type]
        {"tables": [s.table for s in streams], "publication": publication},
    ).fetchall()
    relations = {row[0]: _Relation(*row) for row in rows}
    followed: dict[str, Followed] = {}
    stopped: dict[str, StreamStopped] = {}
    for stream in streams:
        try:
            followed[stream.name] = _followed(stream, relations.get(stream.table), published, publication)
        except StreamStopped as error:
            stopped[stream.name] = error
    return Looked(followed, stopped)


def without_identity(connection: psycopg.Connection, publication: str) -> list[str]:
    """Published tables, declared or not, whose updates and deletes the server itself refuses for want of a replica
    identity.
    """
    rows = connection.execute(
        """
        select schemaname || '.' || tablename
        from pg_publication_tables
        join pg_namespace n on n.nspname = schemaname
        join pg_class c on c.relnamespace = n.oid and c.relname = tablename
        where pubname = %s and (
            relreplident = 'n' or relreplident = 'd'
            and not exists (select from pg_index where indrelid = c.oid and indisprimary)
        )
        order by 1
        """,
        [publication],
    ).fetchall()
    return [row[0] for row in rows]


@dataclass(frozen=True)
class _Relation:
    table: str
    kind: str
    is_partition: bool
    root: str | None
    has_leaf_published: bool
    replica: str
    identity: str
    storage: str
    columns: list[dict[str, Any]]
    unique: list[list[str]]
    bases: list[str]


def _published(connection: psycopg.Connection, publication: str) -> dict[str, tuple[list[str] | None, str | None]]:
    """Table -> its published columns (None: all) and row filter; both exist since Postgres 15."""
    more = "attnames, rowfilter" if connection.info.server_version >= 150000 else "null, null"
    rows = connection.execute(
        f"select schemaname || '.' || tablename, {more} from pg_publication_tables where pubname = %s",  # type: ignore[arg-type]
        [publication],
    ).fetchall()
    return {table: (list(names) if names else None, condition) for table, names, condition in rows}


def _followed(
    stream: StreamSpec,
    relation: _Relation | None,
    published: Mapping[str, tuple[list[str] | None, str | None]],
    publication: str,
) -> Followed:
    table, sql_name, name = stream.table, quoted(*stream.table.split(".", 1)), quoted(publication)

    def stop(message: str, way_out: str) -> StreamStopped:
        return StreamStopped(stream.name, message, way_out)

    if relation is None:
        raise stop(
            f"There is no table {table} in this database.", "Correct `table` in the system file, or take it out."
        )
    if relation.kind in NO_CHANGES:
        of = f" It is made of {', '.join(relation.bases)}." if relation.bases else ""
        raise stop(
            f"{table} is {NO_CHANGES[relation.kind]}, which has no changes of its own.{of}",
            "Name the tables behind it as streams, and join them in a staging model.",
        )
    if table not in published:
        if relation.kind == "p" and relation.has_leaf_published:
            raise stop(
                f"Publication {publication} publishes the partitions of {table}, each under its own name.",
                f"alter publication {name} set (publish_via_partition_root = true);",
            )
        if relation.is_partition and relation.root in published:
            raise stop(
                f"{table} is a partition, published as part of {relation.root}.", f"Name {relation.root} as the stream."
            )
        raise stop(
            f"Publication {publication} does not cover {table}.",
            f"alter publication {name} add table {sql_name}; or take it out of the system's streams.",
        )
    names, condition = published[table]
    columns = [c for c in relation.columns if not c["generated"] and (names is None or c["name"] in names)]
    have = [c["name"] for c in columns]
    for wrong, words in (
        (
            [c for c in have if [n.lower() for n in have].count(c.lower()) > 1],
            "that differ in upper and lower case alone",
        ),
        ([c for c in have if is_ours(c)], "with a name that the log needs for itself"),
    ):
        if wrong:
            raise stop(
                f"{table} has columns {words}: {', '.join(wrong)}.",
                "Rename them at the source, or leave them out of the publication's column list.",
            )
    in_identity = [c["name"] for c in relation.columns if c["in_identity"]]
    primary = [c["name"] for c in relation.columns if c["in_primary"]]
    key = tuple(stream.key) or tuple(primary) or tuple(in_identity if relation.replica != "f" else ())
    unknown = [column for column in stream.key if column not in [c["name"] for c in relation.columns]]
    if unknown:
        raise stop(f"{table} has no column {', '.join(unknown)}.", "Correct `key` in the system file.")
    if not key:
        raise stop(
            f"{table} has no primary key, and the stream names no `key`.",
            f"Add a primary key. Or name a `key` and run: alter table {sql_name} replica identity full;"
            + (
                ""
                if in_identity
                else " Until then the source refuses each update and delete of it, because it is published."
            ),
        )
    if hidden := [column for column in key if column not in have]:
        raise stop(
            f"Publication {publication} leaves out {', '.join(hidden)}, the key of {table}.",
            "Add it to the publication's column list, or name another `key`.",
        )
    if lacking := [column for column in key if column not in in_identity]:
        raise stop(
            f"The replica identity of {table} lacks {', '.join(lacking)}, so deletes could not be applied.",
            f"alter table {sql_name} replica identity full; or make those columns its primary key.",
        )
    return Followed(
        stream.name,
        table,
        Shape(
            tuple(SourceColumn(c["name"], c["oid"], c["modifier"], c["number"], c["type"]) for c in columns),
            key,
            f"{relation.identity} {condition or ''}",
            relation.storage,
            {str(c["number"]): c["version"] for c in columns},
            {oid: label for c in columns for oid, label in (c["labels"] or {}).items()},
            tuple(c["name"] for c in columns if c["filled"]),
        ),
        is_unique=any(set(index) <= set(key) for index in relation.unique),
        parents_only=relation.kind == "r",
        row_filter=condition,
    )
