"""When a warehouse works: day and evening shifts on working days, a short Saturday, and night shifts on some nights."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta

from .clock import HOUR, at_local, holidays, is_workday, local_date
from .company import SITES
from .settings import DAY_END_HOUR_UTC


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift: local date of its start, code (D, E, N) and instants, end exclusive."""

    day: date
    code: str
    start: int
    end: int


class ShiftPlan:
    """The shifts of one site, made as time goes on."""

    def __init__(self, site: int, first_day: date, nights: frozenset[date]) -> None:
        self.zone = SITES[site].zone
        self._nights = nights
        self._next_day = first_day
        self.shifts: list[Shift] = []
        self._ends: list[int] = []
        self._extend()

    def _extend(self) -> None:
        for _ in range(60):
            self._plan(self._next_day)
            self._next_day += timedelta(days=1)

    def _plan(self, day: date) -> None:
        def add(code: str, start: float, end: float) -> None:
            self._add(
                Shift(day, code, at_local(day, int(start * HOUR), self.zone), at_local(day, int(end * HOUR), self.zone))
            )

        if is_workday(day):
            add("D", 6, 14)
            add("E", 14, 20)
        elif day.weekday() == 5 and day not in holidays(day.year):
            add("D", 7, 13)
        if day in self._nights:
            tomorrow = day + timedelta(days=1)
            end = at_local(tomorrow, 0, "UTC") + DAY_END_HOUR_UTC * HOUR - HOUR // 2
            self._add(Shift(day, "N", at_local(day, 22 * HOUR, self.zone), end))

    def _add(self, shift: Shift) -> None:
        self.shifts.append(shift)
        self._ends.append(shift.end)

    def at(self, index: int) -> Shift:
        """The shift with that place in the plan."""
        while index >= len(self.shifts):
            self._extend()
        return self.shifts[index]

    def covering(self, at: int) -> Shift | None:
        """The shift under way at an instant."""
        index = bisect_right(self._ends, at)
        shift = self.at(index)
        return shift if shift.start <= at < shift.end else None

    def fit(self, at: int, need: int, lead_in: int = 0) -> int:
        """Earliest instant from `at` on at which work of `need` seconds fits into one shift; work that has to wait for
        the next shift starts `lead_in` seconds into it."""
        index = bisect_right(self._ends, at)
        while True:
            shift = self.at(index)
            start = at if at >= shift.start else shift.start + lead_in
            if start + need < shift.end:
                return start
            index += 1

    def local_day(self, at: int) -> date:
        """Local date at this site."""
        return local_date(at, self.zone)
