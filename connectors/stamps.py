"""The time stamps that sources give their records: compared as instants, sent back in the form the source uses."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from connectors.documents import Row

WIDEST_ZONE = timedelta(hours=14)


def instant(text: str | None) -> datetime | None:
    """An ISO 8601 stamp as an aware instant; without offset it counts as UTC, for ordering only. None if unreadable."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # with an offset, the first and the last day that there are may have no UTC
        return None


def later(first: str | None, second: str | None) -> str | None:
    """The stamp that is later; an unreadable one never wins."""
    one, two = instant(first), instant(second)
    if two is None:
        return first
    return second if one is None or two > one else first


def is_ahead(text: str | None, clock: datetime) -> bool:
    """Whether a stamp is past the source's clock. One without an offset may be ahead of it by its zone."""
    found = instant(text)
    if found is None or text is None:
        return False
    return found > clock and (datetime.fromisoformat(text).tzinfo is not None or found - clock > WIDEST_ZONE)


def without_stale(rows: Iterable[Row], landed: Mapping[str, str | None], clock: datetime) -> list[Row]:
    """The rows that are not older, by their stamps, than what is `landed` or comes before them under the same key. A
    landed stamp ahead of the source's clock says nothing."""
    newest = {key: stamp for key, stamp in landed.items() if not is_ahead(stamp, clock)}
    kept: list[Row] = []
    for row in rows:
        before, now = instant(newest.get(row[0])), instant(row[2])
        if before is None or now is None or now >= before:
            kept.append(row)
            if now is not None and not is_ahead(row[2], clock):
                newest[row[0]] = row[2]
    return kept


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
