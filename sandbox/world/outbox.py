"""A warehouse's outbound folder: advices and events batched per shift, and a nightly snapshot of what changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator
from datetime import date, timedelta
from typing import Any

from .base import DropFile
from .clock import HOUR, at_local, local
from .company import SITES
from .shifts import ShiftPlan
from .state import Shipment
from .stock import Stock
from .x12 import Advice, Interchange

SNAPSHOT_SECONDS = 23 * HOUR + 1800


def _text(value: str | int | None) -> str:
    return "null" if value is None else f'"{value}"'


class Outbox:
    """Collects one site's messages and turns them into files when a shift or a day ends."""

    def __init__(self, site: int, plan: ShiftPlan, stock: Stock) -> None:
        self.site, self.plan, self.stock = site, plan, stock
        self.place = SITES[site]
        self.kernel = stock.kernel
        self.files: list[DropFile] = []
        self.hours: dict[str, list[int]] = defaultdict(lambda: [0] * 24)
        self.outside_shift = 0
        self._advices: list[tuple[int, Advice]] = []
        self._events: list[tuple[int, int, str]] = []
        self._series = f"event{site}"
        self._chance = self.kernel.chance(f"outbox{site}")

    def event(
        self, at: int, kind: str, release: str | None = None, work: str | None = None, order: int | None = None,
        line: int | None = None, sku: int | None = None, qty: int | None = None,
        reason: str | None = None, lpn: str | None = None, shipment: str | None = None,
    ) -> None:  # fmt: skip
        """Note a warehouse event that happens at an instant of the shift under way.

        Written as JSON by hand, since none of the values needs escaping and there are very many.
        """
        number = self.kernel.number(self._series)
        stamp = str(local(at, self.place.zone))
        text = (
            f'{{"id":"{self.place.code}-{number:07d}","type":"{kind}","site":"{self.place.code}","at":"{stamp}",'
            f'"release":{_text(release)},"warehouse_order":{_text(work)},"order":{_text(order)},'
            f'"line":{_text(line)},"sku":{_text(sku)},"qty":{"null" if qty is None else qty},'
            f'"reason":{_text(reason)},"lpn":{_text(lpn)},"shipment":{_text(shipment)}}}'
        )
        self._events.append((at, number, text))
        self.hours[kind][int(stamp[11:13])] += 1
        if kind in ("pick_started", "picked", "pick_shorted") and self.plan.covering(at) is None:
            self.outside_shift += 1

    def advise(self, shipment: Shipment, purpose: str = "N") -> None:
        """Note a shipping advice, or the void of one, that is sent now."""
        shipped = local(shipment.shipped, self.place.zone)
        self._advices.append((self.kernel.now, Advice(shipment, shipped, purpose)))

    def run_shifts(self) -> Generator[Any, Any, None]:
        """SimPy process: some minutes after each shift, drop its files."""
        index = 0
        while True:
            shift = self.plan.at(index)
            index += 1
            if shift.end <= self.kernel.now:
                continue
            yield self.kernel.env.timeout(shift.end + self._chance.between(90, 840) - self.kernel.now)
            self._drop(f"{shift.day:%Y%m%d}_{shift.code}")

    def _drop(self, stem: str) -> None:
        code = self.place.code
        if self._advices:
            control = self.kernel.number(f"interchange{self.site}")
            sent = local(self.kernel.now, self.place.zone)
            batch = Interchange(code, self.place.name, control, sent, [advice for _, advice in self._advices])
            self._put(f"945_{code}_{stem}_{control:09d}.x12", batch.text())
            self._advices = []
        if self._events:
            self._events.sort(key=lambda e: (e[0], e[1]))
            lines = [text for _, _, text in self._events]
            self._put(f"events_{code}_{stem}.jsonl", "\n".join(lines) + "\n")
            self._events = []

    def run_snapshots(self) -> Generator[Any, Any, None]:
        """SimPy process: at 23:30 local, list the stock that changed since the last snapshot, and drop what another
        site's wave left here after the last shift."""
        day: date = self.plan.local_day(self.kernel.now)
        while True:
            yield self.kernel.env.timeout(at_local(day, SNAPSHOT_SECONDS, self.place.zone) - self.kernel.now)
            self._snapshot(day)
            if self.plan.covering(self.kernel.now) is None:
                self._drop(f"{day:%Y%m%d}_X")
            day += timedelta(days=1)

    def _snapshot(self, day: date) -> None:
        changed = self.stock.changed(self.site)
        if not changed:
            return
        stamp = local(self.kernel.now, self.place.zone).strftime("%Y-%m-%d %H:%M:%S")
        booked, reserved = self.stock.booked[self.site], self.stock.reserved[self.site]
        rows = ["site,sku,lot,status,owner,on_hand,allocated,as_of_local"]
        rows += [f"{self.place.code},{i},,available,own,{booked[i]},{reserved[i]},{stamp}" for i in changed]
        self._put(f"stock_{self.place.code}_{day:%Y%m%d}.csv", "\n".join(rows) + "\n")

    def _put(self, name: str, text: str) -> None:
        self.files.append(DropFile(self.place.code, name, text.encode("ascii")))

    def drain(self) -> list[DropFile]:
        """Files dropped since the last call."""
        files, self.files = self.files, []
        return files
