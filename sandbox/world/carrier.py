"""Carriers: labels, scans on the way, and how each carrier's tracking tells it.

Parcel carriers and LTL have trackers; own trucks and pick-ups have none. Scan times carry the offset of the place; LTL
proofs of delivery are now and then a bare date. Some scans come late, double, out of order, or never.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from .clock import HOUR, add_workdays, at_local, local_date, with_offset, zulu
from .company import CARRIERS, OWN_TRUCK, PICK_UP, SHIP_ZONES, Site
from .incidents import Incidents
from .kernel import Kernel
from .packing import PARCEL_GRAMS
from .promising import lane
from .state import Carton, Shipment, WarehouseOrder

EXPEDITED = "2DA"
"""A parcel that another site sends to help out goes by two-day service."""

_WORDS = {
    "OR": "Label created", "PU": "Picked up", "AR": "Arrived at facility", "OD": "Out for delivery", "DL": "Delivered",
    "DX": "Delivery attempted",
}  # fmt: skip


@dataclass(slots=True, eq=False)
class Tracker:
    """One tracking number as its carrier shows it."""

    seq: int
    shipment: Shipment
    updated: int
    status: str = "pre_transit"
    events: list[dict[str, Any]] = field(default_factory=list)


class Carriers:
    """All trackers, and which changed since the last drain."""

    def __init__(self, kernel: Kernel, incidents: Incidents) -> None:
        self.kernel, self.incidents = kernel, incidents
        self.settings = kernel.settings
        self._chance = kernel.chance("carrier")
        self._dirty: dict[int, Tracker] = {}
        self._trackers: dict[str, Tracker] = {}
        self.scans = 0
        self.scans_before_label = 0

    def label(self, work: WarehouseOrder, site: Site, number: str, cartons: list[Carton], grams: int) -> Shipment:
        """Choose the carrier and create the label now."""
        carriage = work.release.order.carriage
        carrier: str | None = None
        tracking: str | None = None
        seq = self.kernel.number("tracking")
        if carriage == "own" and site.site_id - 1 == work.release.order.root.site:
            code, service = OWN_TRUCK
        elif carriage == "pickup" and site.site_id - 1 == work.release.order.root.site:
            code, service = PICK_UP
        else:
            carrier = "LTL" if grams > PARCEL_GRAMS else "UPS" if self._chance.random() < 0.62 else "FedEx"
            code, service = CARRIERS[carrier][:2]
            if carrier != "LTL" and site.site_id - 1 != work.release.order.root.site:
                service = EXPEDITED
            tracking = {"UPS": f"1Z88X4{seq:012d}", "FedEx": f"7946{seq:08d}", "LTL": f"PRO{seq:09d}"}[carrier]
        now = self.kernel.now
        shipment = Shipment(number, work, site, carrier, code, service, tracking, now, now, cartons, grams)
        if tracking:
            tracker = Tracker(seq, shipment, now)
            self._trackers[tracking] = tracker
            self._scan(tracker, now, "OR", with_offset(now, site.zone), (site.city, site.postal_code))
        return shipment

    def dispatch(self, shipment: Shipment) -> None:
        """The parcel leaves now: plan its scans up to delivery."""
        if not shipment.tracking or not shipment.carrier:
            return
        chance, tracker = self._chance, self._trackers[shipment.tracking]
        customer = shipment.work.release.order.customer
        if chance.random() < self.settings.never_tendered:
            self.kernel.exception("label_never_tendered", shipment.tracking)
            return
        site, there = shipment.site, (SHIP_ZONES[customer.zone][3], customer.postal_code)
        here = (site.city, site.postal_code)
        left = shipment.shipped + chance.between(300, 3000)
        self._scan(tracker, left, "PU", with_offset(left, site.zone), here)
        day = self._arrival(shipment)
        first = left + chance.between(2 * HOUR, 5 * HOUR)
        out = at_local(day, chance.between(int(6.5 * HOUR), 9 * HOUR), customer.zone)
        hubs = chance.between(1, 3)
        for n in range(hubs):
            at = first + (out - first) * n // (hubs + 1) + chance.between(0, 1500)
            if first <= at < out:
                place = here if n == 0 else there
                self._scan(tracker, at, "AR", with_offset(at, site.zone if n == 0 else customer.zone), place)
        at = out + chance.between(1800, int(8.5 * HOUR))
        swap = chance.random() < self.settings.out_of_order_scan
        self._scan(tracker, out, "OD", with_offset(out, customer.zone), there, late=HOUR * 9 if swap else 0)
        if chance.random() < 0.02:
            self._scan(tracker, out + (at - out) // 2, "DX", with_offset(out + (at - out) // 2, customer.zone), there)
        if chance.random() < self.settings.lost_scan:
            self.kernel.at(at, self._lose, shipment)
            return
        date_only = shipment.carrier == "LTL" and chance.random() < self.settings.ltl_date_only
        text = local_date(at, customer.zone).isoformat() if date_only else with_offset(at, customer.zone)
        self.kernel.at(at, self._deliver, shipment, date_only)
        twice = chance.random() < self.settings.doubled_scan
        self._scan(tracker, at, "DL", text, there, twice=twice)

    def _arrival(self, shipment: Shipment) -> date:
        """Delivery date: the lane's transit from the ship date, later when the carrier fails."""
        carrier = str(shipment.carrier)
        zone = shipment.work.release.order.customer.zone
        day = local_date(shipment.shipped, shipment.site.zone)
        usual, december = CARRIERS[carrier][2:]
        on_time = december if day.month == 12 else usual
        transit = lane(shipment.site.site_id - 1, zone)
        if shipment.service == EXPEDITED:
            transit = min(transit, 2)
        late = 0 if self._chance.random() < on_time else self._chance.between(1, 3)
        arrival = add_workdays(day, transit + late)
        return arrival if arrival > day else arrival + timedelta(days=1)

    def _deliver(self, shipment: Shipment, date_only: bool) -> None:
        shipment.delivered = self.kernel.now
        shipment.delivered_date_only = date_only

    def _lose(self, shipment: Shipment) -> None:
        """Delivered in fact, but nobody ever records it: to the business it stays open."""
        self.kernel.exception("delivery_scan_lost", str(shipment.tracking))

    def _scan(
        self,
        tracker: Tracker,
        at: int,
        code: str,
        text: str,
        place: tuple[str, str],
        late: int = 0,
        twice: bool = False,
    ) -> None:
        """Plan a scan; it is told after a lag, at the latest when the simulated day ends."""
        told = at + late + min(int(self._chance.skewed(1200, 1.6)), 8 * HOUR)
        silent = self.incidents.silence(str(tracker.shipment.carrier), told)
        if silent:
            told = silent + self._chance.between(10, 1800)
        told = max(at + 1, min(told, self.kernel.day_end(at) - self._chance.between(2, 55)))
        event = {
            "code": code, "description": _WORDS[code], "at": text,
            "place": {"city": place[0], "postal_code": place[1]},
        }  # fmt: skip
        self.kernel.at(told, self._tell, tracker, event, at, twice)

    def _tell(self, tracker: Tracker, event: dict[str, Any], at: int, twice: bool) -> None:
        self.scans += 1
        self.scans_before_label += at < tracker.shipment.labelled
        event = {"id": f"e{len(tracker.events) + 1}", **event}
        tracker.events.append(event)
        if twice:
            tracker.events.append(dict(event))
        tracker.updated = self.kernel.now
        code = event["code"]
        if code == "DL":
            tracker.status = "delivered"
        elif tracker.status != "delivered" and code != "OR":
            tracker.status = "out_for_delivery" if code == "OD" else "in_transit"
        self._dirty[tracker.seq] = tracker

    def drain(self) -> list[dict[str, Any]]:
        """Tracker documents changed since the last call, by (updated_at, tracking number)."""
        changed = sorted(self._dirty.values(), key=lambda t: (t.updated, t.seq))
        self._dirty = {}
        return [document(tracker) for tracker in changed]


def document(tracker: Tracker) -> dict[str, Any]:
    """The tracker as the carrier's API shows it."""
    shipment = tracker.shipment
    return {
        "tracking_number": shipment.tracking,
        "carrier": shipment.carrier,
        "service": shipment.service,
        "reference": shipment.number,
        "status": tracker.status,
        "updated_at": zulu(tracker.updated),
        "events": [dict(event) for event in tracker.events],
    }
