"""Planner and ledger against targets that misbehave and people who edit meanwhile: whatever the seed, no write is
lost, doubled, written over an edit, stuck or told wrongly."""

import importlib
import json
import random
from contextlib import suppress

import pytest
from sqlalchemy import select

from connectors import writeback
from connectors.control import Keeping, open_control
from connectors.control.tables import attempt, correction, intent, plan
from connectors.writeback.chain import check_chain
from connectors.writeback.errors import Refused, TargetUnavailable
from connectors.writeback.ledger import OPEN_STATES
from connectors.writeback.mapping import load_mapping
from connectors.writeback.plan import body_of
from tests.writeback.conftest import CLOCKED as WRITE_BACK
from tests.writeback.simulated import TIMEOUT_S, Clock, Erp, Killed

CLOCKED = ["connectors.control.store", *(f"connectors.writeback.{name}" for name in WRITE_BACK)]
KEEPING = Keeping(None, {"CROSSDOCK_LEDGER_KEY": "k" * 32})
HELD = {"acked", "verified", "in_doubt", "sent", "released", "abandoned"}


class Simulation:
    """One company: two items, a steward, an ERP, and everything drawn from one seed."""

    def __init__(self, seed: int, monkeypatch) -> None:
        self.rng, self.clock = random.Random(seed), Clock()
        for module in CLOCKED:
            monkeypatch.setattr(importlib.import_module(module), "utc_now", self.clock)
        monkeypatch.setattr("time.sleep", self.clock.sleep)
        self.control, self.mapping = open_control("sqlite://", keeping=KEEPING), load_mapping()
        etag = self.rng.choice(["good"] * 6 + ["none", "odd"])
        readable = etag != "none"
        self.erp = Erp(
            self.rng, self.clock, self.sender, etag=etag,
            own_moves=not readable or self.rng.random() < 0.7, person_moves=not readable or self.rng.random() < 0.6,
        )  # fmt: skip
        self.target = self.erp.target(self.mapping)
        self.wishes, self.released = 0, 0

    def rows(self, table) -> list:
        with self.control.transaction() as connection:
            return list(connection.execute(select(table)).mappings())

    def sender(self) -> int:
        return max(self.rows(attempt), key=lambda row: row["sent_utc"])["intent_id"]

    def correct(self, key: str, price: str | None = None) -> None:
        self.wishes += 1
        price = price or f"21.{self.rng.randrange(1, 6):02d}"  # few values: A, B and A again
        fields = {"unit_price": price}
        writeback.correct(self.control, self.mapping, self.erp, "erp", "item", key, fields, "a list")

    def plan(self) -> None:
        made = writeback.plan(self.control, self.mapping, self.erp, "erp")
        if any(change["action"] == "write" for change in made["changes"]):
            writeback.approve(self.control, self.mapping, made["hash"])

    def apply(self) -> None:
        """Every plan with something left, as the sensor does."""
        left = {row["plan_hash"] for row in self.rows(intent) if row["state"] in OPEN_STATES}
        for row in self.rows(plan):
            if row["state"] == "approved" or row["hash"] in left:
                with suppress(Refused, TargetUnavailable, Killed):
                    writeback.apply(
                        self.control, self.mapping, self.target, row["hash"],
                        system="erp", newest=self.erp.newest, on_phase=self.perhaps_die,
                    )  # fmt: skip
                self.check()

    def perhaps_die(self, phase: str) -> None:
        if not self.erp.calm and self.rng.random() < 0.02:
            raise Killed

    def verify(self) -> None:
        writeback.verify(self.control, self.mapping, self.erp, "erp")
        self.check()

    def abandon(self) -> None:
        over = [row["id"] for row in self.rows(intent) if row["state"] in {"rejected", "stale", "diverged"}]
        if over:
            writeback.abandon(self.control, self.mapping, self.rng.choice(over), "never mind")

    def step(self) -> None:
        key = self.rng.choice(["1", "2"])
        do = self.rng.choice(
            [lambda: self.correct(key), self.plan, self.plan, self.apply, self.apply, self.apply, self.verify,
             self.erp.land, self.erp.land, lambda: self.erp.person_edits(key),
             lambda: self.clock.sleep(self.rng.choice([1, 5, TIMEOUT_S + 1, 3600]))]
            + [self.abandon] * (self.rng.random() < 0.2)
        )  # fmt: skip
        self.erp.arrive()
        with suppress(Refused, Killed):
            do()
        self.check()

    def settle(self) -> None:
        """Nothing misbehaves any more: everything ends by itself, but where no version tells, by `release`."""
        self.erp.calm = True
        for turn in range(12):
            self.clock.sleep(TIMEOUT_S + 1)
            self.erp.arrive()
            self.erp.land()
            self.verify()
            if self.erp.etag != "good" and turn in (4, 8):
                for row in self.rows(intent):
                    if row["state"] in {"acked", "in_doubt"}:
                        writeback.release(self.control, row["id"], "no version tells")
                        self.released += 1
            made = writeback.plan(self.control, self.mapping, self.erp, "erp")
            for change in made["changes"]:
                if "correct it again" in change.get("reason", ""):
                    self.correct(change["key"], change["fields"]["unit_price"]["desired"])
            self.plan()
            self.apply()

    def check(self) -> None:
        bodies = {row["hash"]: _planned(row) for row in self.rows(plan)}
        found = {row["id"]: row for row in self.rows(intent)}
        for number in {effect.intent for effect in self.erp.effects}:
            mine = [effect for effect in self.erp.effects if effect.intent == number]
            row = found[number]
            assert len(mine) == 1, f"doubled: write {number}"
            saw = bodies[row["plan_hash"]][row["key"]]["unit_price"]["observed"]
            assert mine[0].before == saw, f"overwritten: write {number} wrote over {mine[0].before}, planned on {saw}"
            untouched = mine[0] == [e for e in self.erp.effects if e.key == row["key"]][-1] and (
                self.erp.records[row["key"]].log[-1][0] == mine[0].after
            )
            assert not untouched or row["state"] in HELD, f"wrongly told: write {number} took effect, is {row['state']}"
        for row in found.values():
            held = {price for price, _ in self.erp.records[row["key"]].log}
            wanted = _wanted(row)["unit_price"]
            assert row["state"] not in {"acked", "verified"} or wanted in held, f"wrongly told: write {row['id']}"

    def check_end(self) -> None:
        stuck = [(row["id"], row["state"], row["detail"]) for row in self.rows(intent) if row["state"] in OPEN_STATES]
        assert stuck == [], f"stuck: {stuck}"
        lost = [(row["key"], row["desired"]) for row in self.rows(correction) if row["state"] == "open"]
        assert lost == [], f"lost: {lost}"
        assert self.erp.etag != "good" or self.released == 0
        assert check_chain(self.control) is None


def _planned(row) -> dict:
    return {change["key"]: change["fields"] for change in body_of(row)["changes"]}


def _wanted(row) -> dict:
    return json.loads(row["fields"])


def simulate(seed: int, monkeypatch) -> Simulation:
    simulation = Simulation(seed, monkeypatch)
    for _ in range(60):
        simulation.step()
    simulation.settle()
    simulation.check_end()
    simulation.control.close()
    return simulation


@pytest.mark.parametrize("seed", [*range(12), *(pytest.param(n, marks=pytest.mark.verify) for n in range(12, 300))])
def test_nothing_is_lost_doubled_overwritten_stuck_or_told_wrongly(seed, monkeypatch):
    simulate(seed, monkeypatch)
