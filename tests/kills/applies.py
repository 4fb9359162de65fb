"""The phase that kills `crossdock apply`: every correction takes effect once, however often its apply was killed."""

import contextlib
import sqlite3
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tests.kills import warm
from tests.kills.storm import say, stop
from tests.kills.tally import Tally
from tests.kills.world import BOUND_S, World, wait

FINAL = {"acked", "verified"}


@dataclass
class Wish:
    """A price somebody wants, what the record was before, and when its apply was last killed."""

    price: str
    version: int
    killed: float


def applies(world: World, kills: int) -> Tally:
    """A correction, plan and approval; the apply is killed, up to twice the one after it too, and then one ends. A
    write in doubt is settled by a later apply, once its request cannot arrive any more: until then the storm goes on
    with other records."""
    tally = Tally("`crossdock apply`")
    wishes: dict[str, Wish] = {}
    number, took = 0, 0.4
    while tally.kills < kills and not stop(tally):
        number += 1
        key = str(number)
        world.faults("none")
        row, _ = world.box.erp_api("GET", f"/v1/items/{key}")
        wish = wishes[key] = Wish(f"{float(row['unit_price']) + 0.11:.2f}", row["row_version"], 0.0)
        warm.answer(world.home, "correct", "item", key, f"unit_price={wish.price}", "--reason", "price list 7")
        plan = warm.answer(world.home, "plan")["hash"]
        warm.answer(world.home, "approve", plan)
        for _ in range(world.dice.choice((1, 2, 3))):
            killed = _struck(world, tally, plan, key, took)
            wish.killed = time.monotonic()
            if not killed or _state(world, key) in FINAL:
                break
        if world.dice.random() < 0.5:
            world.faults("none")
        took = _again(world, plan, key)
        _settled(world, tally, wishes)
        if number % 30 == 0:
            world.a_day()
            world.faults("none")
            world.whole_pass(tally, time.monotonic())
    world.faults("none")
    deadline = time.monotonic() + BOUND_S
    while wishes and time.monotonic() < deadline:
        for plan in _plans(world, wishes):  # a write without effect waits for the next apply of its own plan
            warm.done(world.home, "apply", plan, "--json", within_s=BOUND_S).forget()
        time.sleep(1)
        _settled(world, tally, wishes)
    tally.faults += [f"stuck: the write of item {key} is {_state(world, key)}" for key in wishes]
    tally.faults += _once(world, number, tally)
    world.whole_pass(tally, time.monotonic(), deep=True)
    tally.faults += [f"lost: item {key} is {row['state']}" for key, row in _newest(world).items()
                     if row["state"] != "verified"]  # fmt: skip
    tally.faults += [f"stuck: write {row['id']} is {row['state']}" for row in warm.answer(world.home, "writes")
                     if row["state"] not in (*FINAL, "stale")]  # fmt: skip
    return tally


def _struck(world: World, tally: Tally, plan: str, key: str, took: float) -> bool:
    """Starts an apply under a fault and kills it, more often than not just after its request has left; whether it was
    still running."""
    fault, was_sent = _fault(world), _is_sent(world, key)
    command = warm.start(world.home, "apply", plan, "--json")
    if not was_sent and world.dice.random() < 0.6:
        wait(lambda: _is_sent(world, key) or not command.runs, BOUND_S)
        time.sleep(world.dice.uniform(0, 0.2))
    else:
        time.sleep(max(0.0, command.begun + world.dice.uniform(0, took) - time.monotonic()))
    killed = command.kill()
    moment = time.monotonic() - command.begun
    command.forget()
    if killed:
        tally.struck(_state(world, key))
    say(world, tally, fault, moment)
    return killed


def _fault(world: World) -> str:
    """A fault of the ERP's interface, and often slow answers: a call that takes no time is hard to strike."""
    name = world.dice.choice(["none", "slow", "40 % errors", "unanswered"])
    world.faults("none")
    knobs = {
        "none": {}, "slow": {"slow_rate": 1, "slow_seconds": 0.15}, "40 % errors": {"error_rate": 0.4},
        "unanswered": {"timeout_after_effect": 1, "hang_seconds": 1},
    }[name]  # fmt: skip
    world.box.faults({"erp": knobs or None})
    return name


def _again(world: World, plan: str, key: str) -> float:
    """The next apply, as somebody who saw the first one die calls it, until the write has left; how long one took."""
    took = 0.4
    for _ in range(20):
        command = warm.done(world.home, "apply", plan, "--json", within_s=BOUND_S)
        took = time.monotonic() - command.begun
        command.forget()
        if command.process.exitcode == 0 or _state(world, key) not in ("not begun", "approved", "throttled"):
            break
        time.sleep(0.2)
    return took


def _is_sent(world: World, key: str) -> bool:
    with contextlib.closing(sqlite3.connect(f"file:{world.home}/control.sqlite?mode=ro", uri=True)) as control:
        return bool(control.execute("select 1 from intent where key = ? and token > 0", [key]).fetchall())


def _newest(world: World) -> dict[str, dict[str, Any]]:
    """The newest write of every item that has one."""
    found: dict[str, dict[str, Any]] = {}
    for row in warm.answer(world.home, "writes"):  # newest first
        if "id" in row:
            found.setdefault(row["key"], row)
    return found


def _state(world: World, key: str) -> str:
    row = _newest(world).get(key)
    return str(row["state"]) if row else "not begun"


def _plans(world: World, wishes: Collection[str]) -> list[str]:
    """The newest plan of each wish that is not fulfilled."""
    return sorted({row["plan"] for key, row in _newest(world).items() if key in wishes})


def _settled(world: World, tally: Tally, wishes: dict[str, Wish]) -> None:
    newest = _newest(world)
    for key in [key for key in wishes if key in newest and newest[key]["state"] in FINAL]:
        tally.recovered(time.monotonic() - wishes.pop(key).killed)


def _once(world: World, number: int, tally: Tally) -> list[str]:
    """Every item moved by one version: the world itself changes no item."""
    found = []
    for key in range(1, number + 1):
        row, _ = world.box.erp_api("GET", f"/v1/items/{key}")
        if row["row_version"] != 2:
            found.append(f"{'lost' if row['row_version'] < 2 else 'doubled'}: item {key} is at {row['row_version']}")
    return found
