"""Instants, local times and working days.

Instants are whole seconds since the Unix epoch, UTC. Local times are naive, as the systems write them. Offsets come
from the time-zone database through `zoneinfo`, remembered per hour: the zones of this company change on the full hour,
by one hour.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

DAY = 86_400
HOUR = 3_600
EXACT_S = 900
"""Two readings of one time that lie this close together count as exact."""

_EPOCH = datetime(1970, 1, 1)
_EPOCH_DAY = _EPOCH.toordinal()
_OFFSETS: dict[tuple[int, str], int] = {}


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of that name."""
    return ZoneInfo(name)


def instant(moment: datetime) -> int:
    """Whole seconds since the epoch of an aware datetime."""
    return int(moment.timestamp())


def utc(at: int) -> datetime:
    """Aware UTC datetime of an instant."""
    return datetime.fromtimestamp(at, UTC)


def zulu(at: int) -> str:
    """ISO 8601 with Z."""
    return (_EPOCH + timedelta(seconds=at)).isoformat() + "Z"


def _offset_of_hour(hour: int, name: str) -> int:
    shift = datetime.fromtimestamp(hour * HOUR, zone(name)).utcoffset()
    return int(shift.total_seconds()) if shift else 0


def offset(at: int, name: str) -> int:
    """Seconds to add to an instant to read the local clock."""
    key = (at // HOUR, name)
    found = _OFFSETS.get(key)
    if found is None:
        found = _OFFSETS[key] = _offset_of_hour(*key)
    return found


def local(at: int, name: str) -> datetime:
    """Naive local time of an instant."""
    return _EPOCH + timedelta(seconds=at + offset(at, name))


def local_date(at: int, name: str) -> date:
    """Local calendar date of an instant."""
    return date.fromordinal(_EPOCH_DAY + (at + offset(at, name)) // DAY)


def with_offset(at: int, name: str) -> str:
    """ISO 8601 local time with its numeric offset."""
    minutes = offset(at, name) // 60
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{local(at, name).isoformat()}{sign}{minutes // 60:02d}:{minutes % 60:02d}"


@lru_cache(maxsize=200_000)
def midnight(day: date, name: str) -> int:
    """Instant at which a local date begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone(name)).timestamp())


def day_end(day: date, name: str) -> int:
    """Exclusive end of a local date."""
    return midnight(day + timedelta(days=1), name)


def at_local(day: date, seconds: int, name: str) -> int:
    """Instant of a wall-clock time given as seconds since local midnight; a repeated time means its first pass."""
    wall = datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)
    return int(wall.replace(tzinfo=zone(name)).timestamp())


def readings(at: int, name: str) -> tuple[int, int]:
    """The (earliest, latest) instant that the naive local writing of `at` can mean; equal unless the hour repeats."""
    own = offset(at, name)
    if offset(at - HOUR, name) == own + HOUR:
        return at - HOUR, at
    if offset(at + HOUR, name) == own - HOUR:
        return at, at + HOUR
    return at, at


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


@cache
def holidays(year: int) -> frozenset[date]:
    """The six days on which a distributor in the United States stays closed."""
    last_monday_may = date(year, 5, 31) - timedelta(days=date(year, 5, 31).weekday())
    return frozenset(
        {
            date(year, 1, 1), last_monday_may, date(year, 7, 4), _nth_weekday(year, 9, 0, 1),
            _nth_weekday(year, 11, 3, 4), date(year, 12, 25),
        }
    )  # fmt: skip


@cache
def is_workday(day: date) -> bool:
    """Monday to Friday and no holiday."""
    return day.weekday() < 5 and day not in holidays(day.year)


@cache
def add_workdays(day: date, count: int) -> date:
    """The date `count` working days later; with 0 the date itself, or the next working day."""
    while not is_workday(day):
        day += timedelta(days=1)
    for _ in range(count):
        day += timedelta(days=1)
        while not is_workday(day):
            day += timedelta(days=1)
    return day


@cache
def workdays_between(start: date, end: date) -> int:
    """Working days after `start` up to and including `end`."""
    return sum(is_workday(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))
