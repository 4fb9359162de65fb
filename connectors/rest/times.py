"""The time stamps of a change cursor: compared as instants, sent back in the form the API uses."""

from datetime import UTC, datetime, timedelta


def instant(text: str | None) -> datetime | None:
    """An ISO 8601 stamp as an aware instant; without offset it counts as UTC, for ordering only. None if unreadable."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def later(first: str | None, second: str | None) -> str | None:
    """The stamp that is later; an unreadable one never wins."""
    one, two = instant(first), instant(second)
    if two is None:
        return first
    return second if one is None or two > one else first


def earlier_by(text: str | None, overlap: timedelta) -> str | None:
    """A stamp moved back by the overlap, as UTC with Z; None stays None."""
    found = instant(text)
    if found is None:
        return None
    moved = found - overlap if found - datetime.min.replace(tzinfo=UTC) > overlap else found
    return moved.isoformat().replace("+00:00", "Z")


def naive_utc(text: str | None) -> datetime | None:
    """The stamp as a naive UTC instant, the form of every `_utc` column."""
    found = instant(text)
    return None if found is None else found.replace(tzinfo=None)
