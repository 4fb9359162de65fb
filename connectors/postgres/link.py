"""Connections to the source, with the session settings under which its text means one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pyarrow as pa
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from connectors.model import PermanentError, TransientError, Unreachable

SESSION = (
    "-c datestyle=ISO -c timezone=UTC -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=1 "
    "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c lock_timeout=60s"
)
LIVELINESS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""A connection that cannot be made, or whose other end is gone, is an error within a minute; a dsn may say other."""
PERMANENT = (
    "28",
    "42",
    "3D",
    "3F",
    "0A",
    "22",
)  # authorization, syntax or permission, unknown catalog, unsupported, data

TLS_REFUSED = re.compile("certificate|does not support SSL|private key file")
"""Words of libpq (fe-secure-openssl.c, fe-connect.c) where TLS does not come about, which repeating does not mend."""


NO_CONNECTION = (
    "onnection refused",
    "timeout expired",
    "timed out",
    "could not translate host name",
    "o route to host",
)


GONE = ("42703", "42P01")
"""Undefined column or table: the catalogue has just shown it, so somebody changed it since."""


def session_dsn(dsn: str, **more: Any) -> str:
    """The connection string under which every session runs: text comes as UTF-8, or as it is (see `raw_text`)."""
    encoding = "SQL_ASCII" if is_raw(dsn) else "UTF8"
    given = conninfo_to_dict(dsn)
    lively = {name: value for name, value in LIVELINESS.items() if name not in given}
    return make_conninfo(
        dsn, **{**lively, "options": SESSION, "application_name": "crossdock", "client_encoding": encoding, **more}
    )


def raw_text(dsn: str, connection: psycopg.Connection) -> str:
    """`dsn`, for reading table data. A SQL_ASCII database holds bytes of any encoding, and under UTF8 the server
    would refuse a whole result for one bad value; so its bytes are taken as they are, and checked row by row here.
    """
    ascii_database = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
    return make_conninfo(dsn, client_encoding="SQL_ASCII") if ascii_database else dsn


def is_raw(dsn: str) -> bool:
    """Whether text comes under `dsn` as it is stored, unchecked by the server (see `raw_text`)."""
    return conninfo_to_dict(dsn).get("client_encoding") == "SQL_ASCII"


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn a driver's error into ours: what SQLSTATE says cannot be retried is permanent, the rest transient."""
    try:
        yield
    except psycopg.Error as error:
        raise _error(doing, error.sqlstate, error) from error
    except (adbc.Error, pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and "[libpq]" not in str(error):
            raise
        raise _error(doing, getattr(error, "sqlstate", None), error) from error


def _error(doing: str, sqlstate: str | None, error: Exception) -> PermanentError | TransientError:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if not sqlstate and TLS_REFUSED.search(text):
        return PermanentError(
            f"{doing}: {text}.",
            "The server must speak TLS with a certificate for its host name: name its authority in ca_file, or write "
            "`insecure: true` where unprotected is meant.",
        )
    if sqlstate in GONE:
        return TransientError(f"{doing}: {text}: its table changed meanwhile.", "The next run reads it as it is then.")
    if sqlstate and sqlstate.startswith(PERMANENT):
        return PermanentError(
            f"{doing}: {text}.", "Correct the role's rights, the publication or the connection, then run again."
        )
    if not sqlstate and any(words in str(error) for words in NO_CONNECTION):
        return Unreachable(f"{doing}: {text}.", "The next run starts where the last commit ended.")
    return TransientError(f"{doing}: {text}.", "The next run starts where the last commit ended.")


@contextmanager
def sql(dsn: str) -> Iterator[psycopg.Connection]:
    """An autocommit SQL connection."""
    with translated("Talking to the source"):
        with psycopg.connect(session_dsn(dsn), autocommit=True) as connection:
            yield connection


@contextmanager
def arrow(dsn: str, autocommit: bool = True) -> Iterator[adbc.Connection]:
    """An ADBC connection, for results too large for rows of Python objects."""
    with translated("Reading from the source"):
        connection = adbc.connect(session_dsn(dsn), autocommit=autocommit)
        try:
            yield connection
        finally:
            connection.close()


class ReplicationLink:
    """A connection that speaks the replication protocol; psycopg offers it at libpq's level only."""

    def __init__(self, dsn: str) -> None:
        with translated("Opening a replication connection"):
            self._connection = psycopg.connect(
                session_dsn(dsn, replication="database", options=SESSION + " -c wal_sender_timeout=0"),
                autocommit=True,
            )
        self.pg = self._connection.pgconn

    def __enter__(self) -> ReplicationLink:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._connection.close()

    def command(self, text: str, *expected: pq.ExecStatus) -> list[list[str | None]]:
        """Run a replication command; returns its rows as text."""
        result = self.pg.exec_(text.encode())
        if result.status not in (expected or (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)):
            message = (result.error_message or b"").decode(errors="replace").strip()
            state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
            raise _error(f"Replication command {text.split(' ')[0]}", state, RuntimeError(message))
        return [
            [
                None if (value := result.get_value(row, column)) is None else value.decode()
                for column in range(result.nfields)
            ]
            for row in range(result.ntuples)
        ]


def lsn_of(text: str) -> int:
    """`16/B374D848` -> the 64-bit position."""
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def lsn_text(position: int) -> str:
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"
