"""Demand: who orders what, when, through which channel, and at which price."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date, timedelta
from typing import Any

from .chance import Chance, Draw
from .clock import DAY, at_local, holidays, local_date
from .company import CHANNEL_SHARE, ERP_ZONE, HOUR_SHARE, WEEKDAY_FACTOR, season
from .entry import Entry, Wanted
from .incidents import FLASH_FACTOR, FLASH_ITEMS, Incidents
from .items import Item
from .parties import Customer

MOST_LINES = 259


class Demand:
    """Draws each day's orders when the day begins and hands them to order entry at their instants."""

    def __init__(self, entry: Entry, customers: list[Customer], items: list[Item], incidents: Incidents) -> None:
        self.entry, self.customers, self.items, self.incidents = entry, customers, items, incidents
        self.kernel = entry.kernel
        self.settings = self.kernel.settings
        self._chance: Chance = self.kernel.chance("demand")
        self._who = Draw([c.weight for c in customers])
        self._hour = Draw(HOUR_SHARE)
        self._channel = Draw(CHANNEL_SHARE)
        self._by_month = {m: Draw([i.weight * season(i.family, m) for i in items]) for m in range(1, 13)}
        self.flash_items = self._chance.sample(items, FLASH_ITEMS)

    def run(self) -> Generator[Any, Any, None]:
        """SimPy process: one step per local day."""
        day = local_date(self.kernel.now, ERP_ZONE)
        while True:
            self._plan(day)
            day += timedelta(days=1)
            yield self.kernel.env.timeout(at_local(day, 300, ERP_ZONE) - self.kernel.now)

    def _plan(self, day: date) -> None:
        factor = 0.0 if day in holidays(day.year) else WEEKDAY_FACTOR[day.weekday()]
        if (day + timedelta(days=4)).month != day.month:
            factor *= 1.2
        factor *= 1.12 if day.month in (11, 12) else 0.97
        for _ in range(self._chance.poisson(self.settings.orders_per_day * factor / 1.014)):
            self._one(day)
        start = at_local(day, 0, ERP_ZONE)
        for flash in self.incidents.flash_between(start, start + DAY):
            usual = self.settings.orders_per_day * (flash.end - flash.start) / DAY * 2
            for _ in range(round(usual * FLASH_FACTOR / 2)):
                customer = self.customers[self._who(self._chance)]
                at = flash.start + self._chance.between(5, flash.end - flash.start - 5)
                self.kernel.at(at, self._flash, customer)

    def _one(self, day: date) -> None:
        chance = self._chance
        customer = self.customers[self._who(chance)]
        channel = customer.channel if chance.random() < 0.8 else self._channel(chance)
        hour = self._hour(chance)
        within = chance.between(0, 299 if channel == 0 else 3599)
        at = at_local(day, hour * 3600 + within, customer.zone)
        if at < self.kernel.now:
            at = self.kernel.now + within
        self.kernel.at(at, self._place, customer, channel)

    def _place(self, customer: Customer, channel: int) -> None:
        chance = self._chance
        median, sigma = (14, 0.92) if chance.random() < self.settings.stock_up else (2.9, 0.98)
        count = max(1, min(MOST_LINES, round(chance.skewed(median, sigma))))
        draw = self._by_month[local_date(self.kernel.now, ERP_ZONE).month]
        chosen: dict[int, Item] = {}
        for _ in range(count * 3):
            item = self.items[draw(chance)]
            chosen[item.item_id] = item
            if len(chosen) == count:
                break
        self.entry.accept(customer, channel, [self._wanted(customer, channel, item) for item in chosen.values()])

    def _flash(self, customer: Customer) -> None:
        chosen = self._chance.sample(self.flash_items, self._chance.between(1, 3))
        channel = 4 if self._chance.random() < 0.3 else 1
        self.entry.accept(customer, channel, [self._wanted(customer, channel, i, 0.85) for i in chosen], urgent=True)

    def _wanted(self, customer: Customer, channel: int, item: Item, deal: float = 1.0) -> Wanted:
        chance = self._chance
        qty = chance.skewed(item.qty_median * customer.bulk, 1.3)
        qty = max(1, min(600, round(qty)))
        if item.pack > 1 and qty >= item.pack * 0.7 and chance.random() < 0.75:
            qty = max(1, round(qty / item.pack)) * item.pack
        price = item.price_cents * (1 - customer.discount) * deal
        if channel != 0 and chance.random() < self.settings.price_override:
            price *= 1 - chance.uniform(0.03, 0.08)
        cents = 0 if chance.random() < self.settings.free_line else max(1, round(price))
        shown = cents
        if channel == 0 and chance.random() < self.settings.edi_price_mismatch:
            shown = max(1, round(cents * chance.choice((0.97, 0.95, 1.03))))
        return item, qty, cents, shown
