"""Sync of a REST system: sweep each stream from its stored cursor and land the documents batch by batch.

A sweep asks for everything changed since the highest stamp landed, less an overlap, because equal and late stamps
exist; landing drops what did not change. While a sweep is under way the cursor holds the next page's token, so that a
kill costs at most one batch; a token that the server no longer takes starts the sweep again.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connectors.carriers import tracking_document as _  # noqa: F401  (registers its document kind)
from connectors.config_kinds import RestStream
from connectors.config_model import System
from connectors.documents import DocumentError, Row, document_row
from connectors.landing import Landing
from connectors.model import BatchRecord, ConnectorError, DeadLetter, PermanentError
from connectors.rest.client import Refused, RestClient
from connectors.rest.pages import Page, fetch, pages
from connectors.rest.times import earlier_by, instant, later, naive_utc
from connectors.size import LIMIT_BYTES, too_large

log = logging.getLogger(__name__)
BATCH_ROWS, BATCH_BYTES = 5_000, 16_000_000
FLOOD = 20
LOST_TOKEN = frozenset({400, 404, 409, 410, 422})

OnBatch = Callable[[str, BatchRecord], None]


@dataclass
class _Sweep:
    """A walk through a stream: what it asks for, how far it is, and what it read but has not landed yet."""

    since: str | None
    token: str | None
    high: str | None
    rows: list[Row] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    bytes: int = 0
    pages: int = 0

    def cursor(self, done: bool) -> dict[str, Any]:
        if done:
            return {"since": self.high, "high": self.high, "next": None}
        return {"since": self.since, "high": self.high, "next": self.token}


def sync_rest(
    system: System,
    landing: Landing,
    on_batch: OnBatch | None = None,
    *,
    again: Callable[[str], bool] = lambda _stream: False,
) -> None:
    """Land what changed in every stream of a REST system. Where `again(stream)`, everything is asked for, which closes
    gaps that a stamp hides; documents that did not change land nothing.

    Raises TransientError or PermanentError; what was landed until then stays, with its cursor.
    """
    with RestClient(system.read) as client:
        for stream in system.streams:
            sync_stream(client, stream, landing, on_batch, full=again(stream.name))


def sync_stream(
    client: RestClient, stream: RestStream, landing: Landing, on_batch: OnBatch | None = None, *, full: bool = False
) -> None:
    """Sweep one stream to its end."""
    stored = {} if full else landing.cursor(stream.name) or {}
    sweep = _Sweep(stored.get("since"), stored.get("next"), stored.get("high"))
    try:
        _walk(client, stream, landing, sweep, on_batch)
    except Refused as error:
        if sweep.token is None or sweep.pages or error.status not in LOST_TOKEN:
            raise
        log.warning(
            "%s: the stored page token is not taken any more (%d); the sweep starts again", stream.name, error.status
        )
        sweep = _Sweep(stored.get("since"), None, stored.get("since"))
        _walk(client, stream, landing, sweep, on_batch)


def newest(client: RestClient, stream: RestStream, landed: str | None) -> str | None:
    """The highest stamp on the first page after `landed`: one request. Equal to `landed` when nothing is newer; with
    more pages behind it, only a hint that there is something to sync."""
    page = fetch(client, stream, landed, None)
    high = landed
    for record in page.records:
        high = later(high, _stamp(record, stream))
    return high


def _walk(client: RestClient, stream: RestStream, landing: Landing, sweep: _Sweep, on_batch: OnBatch | None) -> None:
    since, over = earlier_by(sweep.since, stream.overlap), time.monotonic() + client.read.longest.total_seconds()
    try:
        for page in pages(client, stream, since, sweep.token):
            _take(page, stream, sweep)
            if page.next_token is None:
                break
            if sweep.pages >= client.read.max_pages or time.monotonic() > over:
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


def _take(page: Page, stream: RestStream, sweep: _Sweep) -> None:
    """Turn a page's records into rows and dead letters. A page of nothing but faults is refused: that is a changed API
    or a wrong key, not so many bad records."""
    rows, dead = parse_records(stream, page.records)
    if len(dead) >= FLOOD and not rows:
        raise PermanentError(
            f"Every record of a page of {stream.path} is faulty: {dead[0].reason}.",
            "Check `key`, `records` and `document` of the stream; none of that page was landed.",
        )
    for row in rows:
        sweep.high = later(sweep.high, row[2])
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
    complete = naive_utc(sweep.high if done else sweep.since)
    record = landing.land_documents(
        stream.name, sweep.rows, sweep.cursor(done), dead=sweep.dead, source_time_utc=complete
    )
    sweep.rows, sweep.dead, sweep.bytes = [], [], 0
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
