"""Raw messages of a slot as Arrow arrays, by SQL where that is bounded, else over the replication protocol.

`peek` lets the server collect whole transactions, on its disk, before the first row arrives; it is the fast way. A
transaction may be as large as the WAL between the slot's restart position and the peek's end, so that distance is
what PEEK_WAL_BYTES bounds. Past it `receive` reads the same messages one by one and holds nothing on the server.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from select import select

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
from psycopg import pq

from connectors.model import TransientError, literal, quoted
from connectors.postgres.link import ReplicationLink, arrow, lsn_of, lsn_text
from connectors.postgres.oversize import shortened, shortened_sql
from connectors.size import LIMIT_BYTES

PEEK_WAL_BYTES = 1 << 30
PEEK_MESSAGES = 1_000_000
ARRAY_BYTES = 2 << 20
ARRAY_MESSAGES = 100_000
QUIET_S = 60.0
BUSY_S = 30.0
IN_USE = "55006"


def peek(dsn: str, slot: str, publication: str, upto: int, limit: int = PEEK_MESSAGES) -> Iterator[pa.Array]:
    """Binary arrays of the messages of transactions that commit before LSN `upto`; it ends behind the transaction
    that reaches `limit` messages. The slot stays where it is.
    """
    query = (
        f"select {shortened_sql('data', LIMIT_BYTES)} from pg_logical_slot_peek_binary_changes("
        f"{literal(slot)}, {literal(lsn_text(upto))}, {int(limit)}, "
        f"'proto_version', '1', 'publication_names', {literal(quoted(publication))})"
    )
    with arrow(dsn) as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(ARRAY_BYTES)})
        deadline = time.monotonic() + BUSY_S
        while True:
            try:
                cursor.execute(query)
                break
            except adbc.Error as error:  # somebody looked into the slot at this moment
                if error.sqlstate != IN_USE or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        for batch in cursor.fetch_record_batch():
            if len(batch):
                yield batch.column(0)


def receive(dsn: str, slot: str, publication: str, start: int, upto: int) -> Iterator[pa.Array]:
    """The same messages by START_REPLICATION, from LSN `start` until the server has nothing that commits before
    `upto`.

    Acknowledges nothing. Raises TransientError when the server is silent for QUIET_S seconds.
    """
    with ReplicationLink(dsn) as link:
        link.command(
            f"START_REPLICATION SLOT {quoted(slot)} LOGICAL {lsn_text(start)} "
            f"(proto_version '1', publication_names {literal(quoted(publication))})",
            pq.ExecStatus.COPY_BOTH,
        )
        gathered: list[bytes] = []
        size, in_transaction, heard = 0, False, time.monotonic()
        while True:
            count, data = link.pg.get_copy_data(1)
            if count == 0:
                if time.monotonic() - heard > QUIET_S:
                    raise TransientError(
                        f"The source sent nothing for {QUIET_S:g} s.", "The next run starts where this one did."
                    )
                if not select([link.pg.socket], [], [], 0.2)[0]:
                    _status(link, start, reply=True)
                link.pg.consume_input()
                continue
            heard = time.monotonic()
            if count < 0:
                raise TransientError(
                    "The source ended the replication stream.", "The next run starts where this one did."
                )
            message = bytes(data)
            if message[:1] == b"k":
                sent, _, reply = struct.unpack(">qqb", message[1:18])
                if sent >= upto and not in_transaction:
                    break
                if reply:
                    _status(link, start)
                continue
            body = shortened(message[25:], LIMIT_BYTES)
            kind = body[:1]
            in_transaction = kind != b"C" and (in_transaction or kind == b"B")
            gathered.append(body)
            size += len(body)
            done = kind == b"C" and commit_end(body) >= upto
            if done or size >= ARRAY_BYTES or len(gathered) >= ARRAY_MESSAGES:
                yield pa.array(gathered, pa.binary())
                gathered, size = [], 0
            if done:
                return
        if gathered:
            yield pa.array(gathered, pa.binary())


def commit_end(message: bytes) -> int:
    """The position behind a Commit message's transaction."""
    return int.from_bytes(message[10:18], "big")


def _status(link: ReplicationLink, position: int, reply: bool = False) -> None:
    """Standby status update: `position` is what DuckDB has committed, nothing newer."""
    now = int((time.time() - 946_684_800) * 1_000_000)
    link.pg.put_copy_data(b"r" + struct.pack(">qqqqb", position, position, position, now, int(reply)))
    link.pg.flush()


__all__ = ["commit_end", "lsn_of", "peek", "receive"]
