"""The order desk: which orders are open at which site, and the stock they hold."""

from __future__ import annotations

from collections.abc import Callable

from .clock import HOUR
from .company import SHIP_ZONES, SITES
from .erp import Erp
from .erp_orders import end_reservations, write_reservation
from .oms import Oms
from .state import Order, Release, Segment, WarehouseLine, WarehouseOrder
from .stock import Stock

PATIENCE = 20 * HOUR
"""An order that lacks stock is looked at again when it gets some, or after this long."""


class Desk:
    """Open orders by site in order of entry, allocation, and the release of work to the warehouses."""

    def __init__(self, erp: Erp, oms: Oms, stock: Stock) -> None:
        self.erp, self.oms, self.stock = erp, oms, stock
        self.kernel = erp.kernel
        self.settings = erp.kernel.settings
        self.open: list[dict[int, Order]] = [{} for _ in SITES]
        self.waiting: dict[int, dict[int, Segment]] = {}
        self.start_work: Callable[[WarehouseOrder], None] = lambda _work: None
        self._chance = self.kernel.chance("desk")
        self._tried: set[int] = set()

    def allocate(self, segment: Segment, site: int, least: int = 1) -> int:
        """Reserve what is available for a segment, if it is at least `least`; returns the quantity taken."""
        missing = segment.open - sum(segment.held.values())
        item_id = segment.line.item.item_id
        take = min(missing, self.stock.available(site, item_id))
        if missing <= 0 or take < least:
            if missing > 0:
                self.waiting.setdefault(item_id, {})[segment.line_id] = segment
            return 0
        self.stock.reserve(site, item_id, take)
        segment.held[site] = segment.held.get(site, 0) + take
        segment.line.unallocated -= take
        segment.line.allocated += take
        segment.order.asleep_until = 0
        segment.reserved.append((site, write_reservation(self.erp, segment, site, take)))
        if take < missing:
            self.waiting.setdefault(item_id, {})[segment.line_id] = segment
        return take

    def received(self, site: int, item_id: int) -> None:
        """New stock goes to those who wait longest."""
        queue = self.waiting.get(item_id)
        if not queue:
            return
        for line_id, segment in sorted(queue.items()):
            if segment.order.site == site and not segment.order.blocked and not segment.order.oms.is_test:
                self.allocate(segment, site)
            if segment.open <= sum(segment.held.values()):
                del queue[line_id]

    def shrink(self, segment: Segment, qty: int) -> None:
        """Take an open quantity off a segment, unallocated stock first; reserved stock goes back."""
        line = segment.line
        free = segment.open - sum(segment.held.values())
        segment.open -= qty
        line.unallocated -= min(qty, free)
        back = max(0, qty - free)
        line.allocated -= back
        for site in list(segment.held):
            part = min(back, segment.held[site])
            if not part:
                continue
            back -= part
            segment.held[site] -= part
            self.stock.reserve(site, line.item.item_id, -part)
            end_reservations(self.erp, segment, site)
            if segment.held[site]:
                segment.reserved.append((site, write_reservation(self.erp, segment, site, segment.held[site])))
            else:
                del segment.held[site]

    def enqueue(self, order: Order) -> None:
        """Let an order take part in its site's waves."""
        self.open[order.site][order.order_id] = order

    def wave(self, site: int, look_ahead: int = 0, share: float = 1.0) -> None:
        """Release what can be released; a night shift looks ahead and takes a share."""
        if not self.erp.is_up:
            return
        now = self.kernel.now
        for order in list(self.open[site].values()):
            if order.blocked or max(order.stuck_until, order.asleep_until, order.release_from - look_ahead) > now:
                continue
            if share < 1.0 and self._chance.random() > share:
                continue
            self._try(order, now)

    def _try(self, order: Order, now: int) -> None:
        segments = [s for s in order.segments if s.open > 0]
        if not segments:
            self.open[order.site].pop(order.order_id, None)
            return
        for segment in segments:
            if segment.open > sum(segment.held.values()):
                self.allocate(segment, order.site)
        short = [s for s in segments if s.open > sum(s.held.values())]
        if short and order.order_id not in self._tried:
            self._tried.add(order.order_id)
            self._look_elsewhere(order, short)
            short = [s for s in short if s.open > sum(s.held.values())]
        held = sum(sum(s.held.values()) for s in segments)
        wait = short and now < order.last_call
        thin = order.depth and len(short) == len(segments) and held * 2 < sum(s.open for s in segments)
        if not held or wait or thin:
            order.asleep_until = min(now + PATIENCE, order.last_call) if wait else now + PATIENCE
        else:
            self._release(order, segments)

    def _look_elsewhere(self, order: Order, short: list[Segment]) -> None:
        eager = self._chance.random() < self.settings.split_alt * (0.4 if order.depth else 1.0)
        for segment in short:
            if not eager and not segment.line.item.home_only:
                continue
            missing = segment.open - sum(segment.held.values())
            for site in SHIP_ZONES[order.customer.zone][1]:
                if site != order.site and self.allocate(segment, site, least=missing):
                    break

    def _release(self, order: Order, segments: list[Segment]) -> None:
        order.releases += 1
        release = Release(f"{order.order_id}-{order.releases}", order, order.releases, self.kernel.now)
        by_site: dict[int, list[WarehouseLine]] = {}
        for segment in segments:
            for site, qty in segment.held.items():
                by_site.setdefault(site, []).append(WarehouseLine(segment, qty, qty))
        home = by_site.get(order.site)
        for segment in segments if home else ():
            missing = segment.open - sum(segment.held.values())
            if missing > 0 and home is not None:
                own = next((w for w in home if w.segment is segment), None)
                if own:
                    own.requested += missing
                else:
                    home.append(WarehouseLine(segment, missing, 0))
        for lines in by_site.values():
            for part in lines:
                line = part.segment.line
                part.segment.open -= part.requested
                line.allocated -= part.backed
                line.unallocated -= part.requested - part.backed
                line.released += part.requested
        for segment in segments:
            if segment.held:
                segment.held = {}
                end_reservations(self.erp, segment)
        self.open[order.site].pop(order.order_id, None)
        order.in_flight += 1
        release.pending = len(by_site)
        self.erp.touch("sales.orders", order.row, order_status="Picking")
        for site in sorted(by_site):
            key = f"{release.key}-{SITES[site].code}"
            self.start_work(WarehouseOrder(key, release, site, by_site[site]))
