"""Whether a DuckDB file is damaged, as against locked, forbidden, or on a disk that is full.

DuckDB tells most of it as an IOException, the same class as its locks, so its words decide. A block is read when a
query needs it: only a deep look, which reads every table, finds damage in the middle of a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from connectors.model import PermanentError, quoted

WORDS = (
    "not a valid DuckDB database file",
    "Corrupt database file",
    "Corrupt WAL file",
    "does not match stored checksum",
    "Could not read enough bytes from file",
    "Failed to deserialize",
    "Failure while replaying WAL file",
)
OTHER_TROUBLE = (
    "No space left on device",
    "Permission denied",
    "Could not set lock on file",
    "Out of Memory",
    "SET memory_limit",
)
DAMAGE = (duckdb.SerializationException, duckdb.InternalException, duckdb.FatalException)


BORN = 3 * 4096
"""DuckDB writes three headers when it makes a file; a commit comes after them."""


def is_unborn(path: Path) -> bool:
    """Whether whoever made the file was killed before it was one: it never held a commit."""
    if not path.exists() or path.with_name(f"{path.name}.wal").exists():
        return False
    return path.stat().st_size in range(0, BORN, 4096)


def tells_damage(text: str) -> bool:
    """Whether an error's text speaks of a damaged file. It does not say which one: see `damage`."""
    return any(words in text for words in WORDS) and not any(words in text for words in OTHER_TROUBLE)


def ran_out_of_memory(error: duckdb.Error) -> bool:
    """Whether DuckDB's memory limit was met; after a commit, in the checkpoint that follows it, that is told as a fatal
    error, and what was committed is there.
    """
    return isinstance(error, duckdb.OutOfMemoryException) or "SET memory_limit" in str(error)


def damage(path: Path, *, deep: bool = False) -> str | None:
    """Why `path`, or the write-ahead log beside it, cannot be read; None when it can, is absent, or somebody has it
    open.

    `deep` reads every row of every table; otherwise opening it is enough. Nothing is written.
    """
    if not path.exists():
        return None
    try:
        with duckdb.connect(str(path), read_only=True) as db:
            tables = db.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
            ).fetchall()
            for schema, table in tables if deep else ():
                db.execute(f"select bit_xor(hash(one)) from {quoted(schema)}.{quoted(table)} as one").fetchone()
    except duckdb.Error as error:
        text = str(error)
        strange = isinstance(error, DAMAGE) and not any(words in text for words in OTHER_TROUBLE)
        return text.splitlines()[0] if strange or tells_damage(text) else None
    return None


@contextmanager
def history_minded(path: Path) -> Iterator[None]:
    """Around work on the landing file `path`: raises a PermanentError that says what is lost and the way out when an
    error came of damage in it. The file is left as it is: part of it may be read by somebody yet.
    """
    try:
        yield
    except duckdb.Error as error:
        if not (isinstance(error, DAMAGE) or tells_damage(str(error))) or (why := damage(path, deep=True)) is None:
            raise
        raise PermanentError(
            f"landing/{path.name} is damaged ({why}). It holds the only history of {path.stem}, which the source "
            "cannot give again; other systems and what is published are not touched.",
            way_out(path, why),
        ) from error


def way_out(path: Path, why: str) -> str:
    """What a person does about the damaged landing file `path`; a damaged write-ahead log alone loses the least."""
    again = f"`crossdock run --resnapshot {path.stem}`"
    if "WAL file" in why:
        return (
            f"Move landing/{path.name}.wal away, then {again}: the file is as it was before the process that wrote "
            "this log was killed, and what the source has now lands again; only steps between the two are lost."
        )
    return (
        f"Stop what writes here, put its copy from your backup back, then {again}. Without a backup move the file and "
        "its .wal away: the next pass lands what the source has now; earlier history is lost."
    )
