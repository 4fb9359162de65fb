"""Sync of a REST stream: sweep it from its stored cursor and land the documents batch by batch.

A sweep asks for everything changed since the highest stamp landed, less an overlap, because equal and late stamps
exist; landing drops what did not change. A stamp ahead of the server's clock at the sweep's first page does not move
it: what is stamped meanwhile is asked for again. While a sweep is under way the cursor holds the next page's token, so
that a kill costs at most one batch; a token that the server no longer takes starts the sweep again.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.carriers import tracking_document as _  # noqa: F401  (registers its document kind)
from connectors.config_kinds import RestStream
from connectors.documents import DocumentError, Row, document_row
from connectors.landing import Landing
from connectors.landing.documents import has_documents, stamps_of
from connectors.model import BatchRecord, ConnectorError, DeadLetter, PermanentError
from connectors.rest.client import Refused, RestClient
from connectors.rest.pages import Page, fetch, pages
from connectors.size import LIMIT_BYTES, too_large
from connectors.stamps import earlier_by, instant, is_ahead, later, naive_utc, without_stale

log = logging.getLogger(__name__)
BATCH_ROWS, BATCH_BYTES = 5_000, 16_000_000
FLOOD = 20
LOST_TOKEN = frozenset({400, 404, 409, 410, 422})

OnBatch = Callable[[str, BatchRecord], None]


@dataclass
class _Sweep:
    """A walk through a stream: what it asks for, how far it is, and what it read but has not landed yet. `read` is how
    the stream is declared, `clock` the server's at the first page; `is_anew`: what landed under another key leaves the
    state; `is_again`: its page token was lost, and there is no use in another pause."""

    since: str | None
    token: str | None
    high: str | None
    read: dict[str, Any]
    clock: str | None = None
    is_anew: bool = False
    is_again: bool = False
    rows: list[Row] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    bytes: int = 0
    pages: int = 0

    def cursor(self, done: bool) -> dict[str, Any]:
        if done:
            return {"since": self.high, "high": self.high, "next": None, "read": self.read}
        at = {"since": self.since, "high": self.high, "next": self.token}
        return at | {"read": self.read, "clock": self.clock}

    @property
    def now(self) -> datetime:
        return instant(self.clock) or datetime.now(UTC)


def sync_stream(
    client: RestClient, stream: RestStream, landing: Landing, on_batch: OnBatch | None = None, *, full: bool = False
) -> None:
    """Sweep one stream to its end; from its start where it is declared otherwise than in the sweep before."""
    stored, read = landing.cursor(stream.name) or {}, _declared(stream)
    before = stored.get("read")
    is_anew = before is not None and before["key"] != read["key"]
    if full or before != read:
        stored = {}
    sweep = _Sweep(
        stored.get("since"), stored.get("next"), stored.get("high"), read, stored.get("clock"), is_anew=is_anew
    )
    try:
        _walk(client, stream, landing, sweep, on_batch)
    except Refused as error:
        if sweep.token is None or sweep.pages or error.status not in LOST_TOKEN:
            raise
        log.warning(
            "%s: the stored page token is not taken any more (%d); the sweep starts again", stream.name, error.status
        )
        sweep = _Sweep(stored.get("since"), None, stored.get("since"), read, is_again=True)
        _walk(client, stream, landing, sweep, on_batch)


def newest(client: RestClient, stream: RestStream, landed: str | None) -> str | None:
    """The highest stamp on the first page after `landed`: one request. Equal to `landed` when nothing is newer; with
    more pages behind it, only a hint that there is something to sync."""
    page = fetch(client, stream, landed, None)
    high = landed
    for record in page.records:
        stamp = _stamp(record, stream)
        high = high if is_ahead(stamp, client.clock) else later(high, stamp)
    return high


def _declared(stream: RestStream) -> dict[str, Any]:
    """What a cursor is worth something for."""
    return {
        "key": list(stream.key),
        "path": stream.path,
        "params": dict(stream.params),
        "document": stream.document,
        "field": stream.cursor.field if stream.cursor else None,
    }


def _walk(client: RestClient, stream: RestStream, landing: Landing, sweep: _Sweep, on_batch: OnBatch | None) -> None:
    since, over = earlier_by(sweep.since, stream.overlap), time.monotonic() + client.read.longest.total_seconds()
    try:
        for page in pages(client, stream, since, sweep.token):
            sweep.clock = sweep.clock or client.clock.isoformat()
            _take(page, stream, landing, sweep)
            if page.next_token is None:
                break
            if sweep.is_again and time.monotonic() > over:
                raise PermanentError(
                    f"{stream.name}: {sweep.pages} pages take longer than read.longest, and the API takes no page "
                    "token of an earlier pass.",
                    "Raise read.longest; read.max_pages is not kept to meanwhile.",
                )
            if not sweep.is_again and (sweep.pages >= client.read.max_pages or time.monotonic() > over):
                told = f"{stream.name}: {sweep.pages} pages in this pass are enough; the next one goes on from there"
                log.warning("%s (max_pages, longest)", told)
                _land(landing, stream, sweep, on_batch, done=False)
                return
            if len(sweep.rows) >= BATCH_ROWS or sweep.bytes >= BATCH_BYTES:
                _land(landing, stream, sweep, on_batch, done=False)
    except ConnectorError:
        if sweep.rows or sweep.dead:
            _land(landing, stream, sweep, on_batch, done=False)
        raise
    _land(landing, stream, sweep, on_batch, done=True)


def _take(page: Page, stream: RestStream, landing: Landing, sweep: _Sweep) -> None:
    """Turn a page's records into rows and dead letters. A page of nothing but faults is refused while no record was
    ever good: that is a wrong key, not so many bad records."""
    rows, dead = parse_records(stream, page.records)
    if (
        len(dead) >= FLOOD
        and not rows
        and not sweep.rows
        and (sweep.is_anew or not has_documents(landing, stream.name))
    ):
        raise PermanentError(
            f"Every record of a page of {stream.path} is faulty: {dead[0].reason}.",
            "Check `key`, `records` and `document` of the stream; none of that page was landed.",
        )
    for row in rows:
        sweep.high = sweep.high if is_ahead(row[2], sweep.now) else later(sweep.high, row[2])
    sweep.rows += rows
    sweep.dead += dead
    sweep.bytes += sum(map(len, page.records))
    sweep.pages += 1
    sweep.token = page.next_token


def parse_records(stream: RestStream, records: list[bytes]) -> tuple[list[Row], list[DeadLetter]]:
    """Rows and dead letters of raw records; the same path serves a first reading and a replay."""
    rows: list[Row] = []
    dead: list[DeadLetter] = []
    stamp = stream.cursor.field if stream.cursor else None
    position = msgspec.json.encode({"path": stream.path}).decode()
    for record in records:
        if len(record) > LIMIT_BYTES:
            dead.append(too_large(stream.name, record, position=position))
            continue
        try:
            rows.append(document_row(stream.document, record, stream.key, stamp))
        except DocumentError as error:
            dead.append(DeadLetter(stream.name, f"the record {error}", record, position=position))
    return rows, dead


def _land(landing: Landing, stream: RestStream, sweep: _Sweep, on_batch: OnBatch | None, *, done: bool) -> None:
    cursor, rows = sweep.cursor(done), sweep.rows
    with landing.session():
        if sweep.since is not None:  # a sweep from the start is the way back from a source that was itself set back
            rows = without_stale(rows, stamps_of(landing, stream.name, [row[0] for row in rows]), sweep.now)
            if len(rows) < len(sweep.rows):
                log.info("%s: %d records are older than what landed", stream.name, len(sweep.rows) - len(rows))
        record = landing.land_documents(
            stream.name,
            rows,
            cursor,
            dead=sweep.dead,
            source_time_utc=naive_utc(cursor["since"]),
            is_anew=sweep.is_anew,
        )
    sweep.rows, sweep.dead, sweep.bytes, sweep.is_anew = [], [], 0, False
    if on_batch is not None:
        on_batch(stream.name, record)


def _stamp(record: bytes, stream: RestStream) -> str | None:
    if stream.cursor is None:
        return None
    try:
        value = msgspec.json.decode(record, type=dict[str, msgspec.Raw]).get(stream.cursor.field)
        stamp = None if value is None else msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return None
    return stamp if isinstance(stamp, str) and instant(stamp) is not None else None
