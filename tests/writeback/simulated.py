"""A target and its change log in one process, that answers as badly as targets do; what took effect is on record."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx2

from connectors.writeback.observed import Seen
from connectors.writeback.target import HttpTarget

TIMEOUT_S = 10.0
AFTER_EFFECT = [202, 302, 401, 404, 408, 409, 412, 429, 500, 503]
UNTOLD = [*map(httpx2.Response, (302, 423, 503, 520)), httpx2.Response(200, text="a page", headers={"ETag": '"5f3"'})]
REFUSED = [401, 403, 404, 409, 412, 422, 429, 500, 503]


class Killed(BaseException):
    """The process that wrote is gone."""


@dataclass
class Clock:
    """The time that everybody reads; each look takes a millisecond, so that no two things are at once."""

    now: datetime = datetime(2026, 3, 2, 8)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Record:
    """One item. `log` is every (price, version) it ever had; the first `landed` of them came back from the source."""

    price: str = "20.00"
    version: int = 7
    log: list[tuple[str, int]] = field(default_factory=lambda: [("20.00", 7)])
    landed: int = 1

    def set(self, price: str, moves: bool) -> None:
        self.price, self.version = price, self.version + moves
        self.log.append((price, self.version))


@dataclass(frozen=True)
class Effect:
    """A write that the target carried out: which intent's, and the price before and after."""

    intent: int
    key: str
    before: str
    after: str


@dataclass
class Erp:
    """`etag`: good, none (neither PATCH nor GET tells one) or odd (PATCH answers with one that the log never shows)."""

    rng: random.Random
    clock: Clock
    sender: Callable[[], int]
    own_moves: bool
    person_moves: bool
    etag: str
    calm: bool = False
    records: dict[str, Record] = field(default_factory=lambda: {"1": Record(), "2": Record()})
    effects: list[Effect] = field(default_factory=list)
    on_the_way: list[tuple[datetime, int, str, str, str]] = field(default_factory=list)
    edits: int = 0

    def target(self, mapping) -> HttpTarget:
        target = HttpTarget("http://erp", {}, mapping, TIMEOUT_S)
        target.close()
        target._client = httpx2.Client(base_url="http://erp", transport=httpx2.MockTransport(self.answer))
        return target

    def person_edits(self, key: str) -> None:
        self.arrive()
        if not self.person_moves and any(one[2] == key for one in self.on_the_way):
            return  # no version and no read could keep a request under way from writing over this one
        self.edits += 1
        self.records[key].set(f"19.{self.edits:02d}", self.person_moves)

    def arrive(self) -> None:
        due = [one for one in self.on_the_way if one[0] <= self.clock.now]
        self.on_the_way = [one for one in self.on_the_way if one[0] > self.clock.now]
        for _, intent, key, price, version in due:
            self._take(intent, key, price, version)

    def _take(self, intent: int, key: str, price: str, version: str) -> bool:
        record = self.records[key]
        if version != str(record.version):
            return False
        self.effects.append(Effect(intent, key, record.price, price))
        record.set(price, self.own_moves)
        return True

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.arrive()
        key = request.url.path.rsplit("/", 1)[1]
        if request.method == "GET":
            if not self.calm and self.rng.random() < 0.15:
                return self.rng.choice(UNTOLD)
            answer = self._told(key, False)
            if self.person_moves and not self.calm and self.rng.random() < 0.1:
                self.person_edits(key)  # between the read and what follows it
            return answer
        sent = (
            self.sender(),
            key,
            str(json.loads(request.content)["unit_price"]),
            request.headers["If-Match"].strip('"'),
        )
        how = "ok" if self.calm else self.rng.choice(
            ["ok", "ok", "effect", "effect", "refuse", "refuse", "late", "lost", "cut", "killed", "down"]
        )  # fmt: skip
        if how == "down":
            raise httpx2.ConnectError("down")
        if how == "refuse":
            return httpx2.Response(self.rng.choice(REFUSED), headers={"Retry-After": "1"})
        if how == "late":
            self.on_the_way.append((self.clock.now + timedelta(seconds=self.rng.uniform(0, TIMEOUT_S - 1)), *sent))
            raise httpx2.ReadTimeout("late")
        if how == "lost":
            raise httpx2.ReadTimeout("lost")
        taken = self._take(*sent)
        if how == "cut":
            raise httpx2.ReadError("cut")
        if how == "killed":
            raise Killed
        if not taken:
            return httpx2.Response(412)
        if how == "effect":
            return httpx2.Response(self.rng.choice(AFTER_EFFECT), headers={"Retry-After": "1"})
        return self._told(key, True)

    def _told(self, key: str, wrote: bool) -> httpx2.Response:
        record = self.records[key]
        version = f"x{record.version}" if wrote and self.etag == "odd" else record.version
        body = {"stock_item_id": key, "unit_price": record.price, "row_version": record.version}
        return httpx2.Response(200, json=body, headers={} if self.etag == "none" else {"ETag": f'"{version}"'})

    # what change-data-capture saw, as connectors.writeback.observed tells it

    def land(self) -> None:
        for record in self.records.values():
            record.landed = len(record.log)

    def record(self, entity: str, key: str) -> Seen:
        price, version = self.records[key].log[self.records[key].landed - 1]
        return Seen({"unit_price": price}, str(version))

    newest = record

    def at_version(self, entity: str, key: str, version: str) -> list[Seen]:
        rows = self.records[key].log[: self.records[key].landed]
        return [Seen({"unit_price": price}, str(number)) for price, number in rows if str(number) == version]
