"""Where an order ships from, how, and what date the customer is promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from .chance import Chance, Draw
from .clock import HOUR, add_workdays, at_local, is_workday, local_date, midnight
from .company import OWN_TRUCK_ZONES, SHIP_ZONES, SITES
from .parties import Customer
from .settings import Settings

CUT_OFF_HOUR = 13
LAST_CALL_SECONDS = 15 * HOUR + 1800
_EXTRA = (0, 1, 2, 3, 4, 5, 7, 10)
_EXTRA_DRAW = Draw((0.46, 0.33, 0.07, 0.04, 0.03, 0.02, 0.03, 0.02))


@dataclass(frozen=True, slots=True)
class Promise:
    """The plan for an order: site index, carriage (parcel, own, pickup), commit date, when it may and must release."""

    site: int
    carriage: str
    ship_by: date
    commit: date
    release_from: int
    last_call: int


def lane(site: int, zone: str) -> int:
    """Transit in working days from a site into a ship-to zone."""
    return int(SHIP_ZONES[zone][2][site])


def promise(settings: Settings, chance: Chance, customer: Customer, at: int) -> Promise:
    """Plan an order that is accepted at an instant.

    The commit date is the date of arrival: ship date plus the lane's transit, sometimes with a day of grace.
    """
    sites = SHIP_ZONES[customer.zone][1]
    site = sites[1] if chance.random() < 0.03 else sites[0]
    zone = SITES[site].zone
    carriage = "parcel"
    draw = chance.random()
    if OWN_TRUCK_ZONES[site] == customer.zone:
        carriage = (
            "own"
            if draw < settings.own_truck
            else "pickup"
            if draw < settings.own_truck + settings.pick_up
            else carriage
        )
    today = local_date(at, zone)
    late = at >= at_local(today, CUT_OFF_HOUR * HOUR, zone) or not is_workday(today)
    wait = _EXTRA[_EXTRA_DRAW(chance)] + (1 if late and is_workday(today) else 0)
    ship_by = add_workdays(today, wait)
    transit = 0 if carriage == "pickup" else 1 if carriage == "own" else lane(site, customer.zone)
    grace = 1 if chance.random() < 0.25 else 0
    early = ship_by - timedelta(days=1) if chance.random() < 0.3 else ship_by
    return Promise(
        site=site,
        carriage=carriage,
        ship_by=ship_by,
        commit=add_workdays(ship_by, transit + grace),
        release_from=max(at, midnight(early, zone)),
        last_call=at_local(ship_by, LAST_CALL_SECONDS, zone),
    )
