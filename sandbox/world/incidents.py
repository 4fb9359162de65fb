"""What goes wrong on purpose, and when.

Dates repeat through the history so that a short run meets each kind once: a flash sale, an ERP outage of 6 h, a silent
carrier of 9 h, and a night shift across the clock change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from .chance import stream
from .clock import HOUR, at_local, is_workday, zulu
from .company import ERP_ZONE, SITES
from .settings import HISTORY_START, Settings

FLASH_ITEMS = 12
FLASH_FACTOR = 8


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident: kind, subject and half-open interval of instants."""

    kind: str
    subject: str
    start: int
    end: int


class Incidents:
    """The planned incidents of one history."""

    def __init__(self, settings: Settings) -> None:
        chance = stream(settings.seed, "incidents")
        first = HISTORY_START.date()
        span = max(settings.days, 60) + 400
        self.all: list[Incident] = []
        for base in range(0, span, 170):
            self._plan("flash_sale", "12 items", first, base + 16 + chance.between(0, 3), 10 * HOUR, 6)
            self._plan("erp_down", "erp", first, base + 24 + chance.between(0, 3), 9 * HOUR + 1200, 6)
            self._plan(
                "carrier_silent",
                chance.choice(("UPS", "FedEx")),
                first,
                base + 43 + chance.between(0, 3),
                8 * HOUR + 900,
                9,
            )
        self.nights = frozenset(self._fold_nights(first, span) | self._peak_nights(first, span))
        for night in sorted(self._fold_nights(first, span)):
            for site in SITES:
                start = at_local(night + timedelta(days=1), HOUR, site.zone)
                self.all.append(Incident("clock_change", site.code, start, start + 2 * HOUR))
        self.all.sort(key=lambda i: (i.start, i.kind, i.subject))
        self._flash = [i for i in self.all if i.kind == "flash_sale"]
        self._down = [i for i in self.all if i.kind == "erp_down"]
        self._silent = [i for i in self.all if i.kind == "carrier_silent"]

    def _plan(self, kind: str, subject: str, first: date, offset: int, seconds: int, hours: int) -> None:
        day = first + timedelta(days=offset)
        while not is_workday(day):
            day += timedelta(days=1)
        start = at_local(day, seconds, ERP_ZONE)
        self.all.append(Incident(kind, subject, start, start + hours * HOUR))

    @staticmethod
    def _fold_nights(first: date, span: int) -> set[date]:
        """Saturdays before the first Sunday of November: the night in which 01:00 to 02:00 happens twice."""
        nights = set()
        for year in range(first.year, first.year + span // 365 + 2):
            sunday = date(year, 11, 1) + timedelta(days=(6 - date(year, 11, 1).weekday()) % 7)
            nights.add(sunday - timedelta(days=1))
        return nights

    @staticmethod
    def _peak_nights(first: date, span: int) -> set[date]:
        """Night shifts in the two weeks before Christmas."""
        days = (first + timedelta(days=n) for n in range(span))
        return {d for d in days if d.month == 12 and 6 <= d.day <= 20 and is_workday(d) and d.weekday() in (1, 3)}

    def flash(self, at: int) -> Incident | None:
        """The flash sale under way at an instant."""
        return next((i for i in self._flash if i.start <= at < i.end), None)

    def flash_between(self, start: int, end: int) -> list[Incident]:
        """Flash sales that start in an interval."""
        return [i for i in self._flash if start <= i.start < end]

    def erp_up(self, at: int) -> int:
        """The instant itself, or the end of the outage that holds it."""
        return next((i.end for i in self._down if i.start <= at < i.end), at)

    def silence(self, carrier: str, at: int) -> int | None:
        """End of the carrier's silence at an instant, if it is silent."""
        return next((i.end for i in self._silent if i.subject == carrier and i.start <= at < i.end), None)

    def rows(self, until: int) -> list[dict[str, str]]:
        """Incidents that have begun by an instant."""
        return [
            {"kind": i.kind, "subject": i.subject, "start": zulu(i.start), "end": zulu(i.end)}
            for i in self.all
            if i.start <= until
        ]
