"""The documents a REST system knows, latest version each, listed by (updated_at, key) in pages."""

from __future__ import annotations

import base64
import bisect
import threading
from datetime import UTC, datetime
from typing import Any

import msgspec

from sandbox.systems.faults import Faults
from sandbox.systems.held import Held

Document = dict[str, Any]


class Documents:
    """An in-memory store of documents with a key field and an `updated_at` ending in Z.

    A document that comes late counts as updated at the moment it is told, as in a system that learns of it only then.
    """

    def __init__(self, key: str, faults: Faults) -> None:
        self._key = key
        self._faults = faults
        self._documents: dict[str, Document] = {}
        self._order: list[tuple[datetime, str]] = []
        self._held: Held[Document] = Held(faults)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._documents)

    @property
    def waiting(self) -> int:
        """How many changes are held back."""
        return len(self._held)

    def add(self, documents: list[Document], now: datetime, *, bulk: bool = False) -> None:
        """Take in new versions, in the order they were made. `bulk` loads history: nothing is late then."""
        with self._lock:
            for document in documents:
                if bulk:
                    self._documents[document[self._key]] = document
                elif not self._held.hold(document[self._key], document, now):
                    self._put(document)
            if bulk:
                self._order = sorted((instant(each["updated_at"]), key) for key, each in self._documents.items())

    def release(self, now: datetime) -> None:
        """Tell what was held back and is due."""
        with self._lock:
            for document in self._held.due(now):
                known = self._documents.get(document[self._key])
                told = max(now, instant(known["updated_at"])) if known else now
                self._put({**document, "updated_at": told.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})

    def get(self, key: str) -> Document | None:
        """The latest version of one document."""
        return self._documents.get(key)

    def page(self, since: datetime | None, cursor: str | None, limit: int) -> tuple[list[Document], str | None]:
        """Up to `limit` documents after the cursor, or updated at or after `since`, and the cursor of the next page.

        Under faults a page may repeat a document or be out of order inside. Raises ValueError for a bad cursor.
        """
        with self._lock:
            if cursor:
                start = bisect.bisect_right(self._order, _read_cursor(cursor))
            else:
                start = bisect.bisect_left(self._order, (since, "")) if since else 0
            chosen = self._order[start : start + limit]
            more = start + limit < len(self._order)
            documents = [self._documents[key] for _, key in chosen]
        after = _write_cursor(*chosen[-1]) if more and chosen else None
        return self._faults.shuffled(self._faults.with_duplicates(documents)), after

    def _put(self, document: Document) -> None:
        key = document[self._key]
        known = self._documents.get(key)
        if known is not None:
            del self._order[bisect.bisect_left(self._order, (instant(known["updated_at"]), key))]
        self._documents[key] = document
        bisect.insort(self._order, (instant(document["updated_at"]), key))


def instant(text: str) -> datetime:
    """An aware instant from ISO text with an offset or Z; raises ValueError otherwise."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text} has no offset; write 2024-03-01T14:05:09Z")
    return parsed


def _write_cursor(updated: datetime, key: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([updated.isoformat(), key])).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        updated, key = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=tuple[str, str])
        return instant(updated), key
    except (ValueError, msgspec.MsgspecError) as error:
        raise ValueError("this cursor was not given out by us") from error
