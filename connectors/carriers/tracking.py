"""A tracker of the aggregated tracking API as the neutral tracking document.

Every event of every scan is kept, in the order sent, with its code, its text and its time untouched: an offset stays an
offset, a bare date stays a bare date, an unknown code stays that code. What they mean is decided downstream, where the
ship-to zone is known.
"""

from typing import Any

import msgspec

from connectors.documents import DocumentError, read_object, register_document

_PLACE = ("city", "postal_code")
_EVENT = ("id", "code", "description", "at")
_HEAD = ("carrier", "tracking_number", "service", "reference", "status", "updated_at")


def tracking_document(record: bytes) -> bytes:
    """Raw tracker to `{"document": "tracking", carrier, tracking_number, service, reference, status, updated_at,
    events: [{id, code, description, at, city, postal_code}]}`; a field that was not sent is null.

    Raises DocumentError when carrier or number is missing, or when events is not a list of objects.
    """
    found = read_object(record)
    head = {name: _text(found, name) for name in _HEAD}
    if not head["carrier"] or not head["tracking_number"]:
        raise DocumentError("has no carrier or no tracking number")
    events = found.get("events")
    if not isinstance(events, list | None):
        raise DocumentError("its events are not a list")
    return msgspec.json.encode({"document": "tracking", **head, "events": [_event(event) for event in events or ()]})


def _event(event: Any) -> dict[str, str | None]:
    if not isinstance(event, dict):
        raise DocumentError("an event is not an object")
    place = event.get("place")
    if not isinstance(place, dict | None):
        raise DocumentError("the place of an event is not an object")
    neutral = {name: _text(event, name) for name in _EVENT}
    return neutral | {name: _text(place or {}, name) for name in _PLACE}


def _text(found: dict[str, Any], name: str) -> str | None:
    value = found.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise DocumentError(f"{name} is neither a text nor a whole number")


register_document("tracking", tracking_document)
