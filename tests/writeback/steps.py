"""The steps of a write-back as a steward takes them, in one line each; also run as a process that gets killed."""

import os
import signal
import sys
import threading
from pathlib import Path

from connectors import writeback
from connectors.control import Control, open_control
from connectors.writeback.mapping import load_mapping
from connectors.writeback.observed import open_observed
from connectors.writeback.target import HttpTarget

MAPPING = load_mapping()


def correct(control: Control, landing: Path, price: str) -> None:
    correct_fields(control, landing, unit_price=price)


def correct_fields(control: Control, landing: Path, key: str = "142", **fields: str) -> None:
    with open_observed(landing, "erp", MAPPING) as observed:
        writeback.correct(control, MAPPING, observed, "erp", "item", key, fields, "price list 7")


def plan(control: Control, landing: Path) -> dict:
    with open_observed(landing, "erp", MAPPING) as observed:
        return writeback.plan(control, MAPPING, observed, "erp")


def approved_plan(control: Control, landing: Path) -> str:
    planned = plan(control, landing)
    writeback.approve(control, MAPPING, planned["hash"])
    return planned["hash"]


def wanted(control: Control, landing: Path, **fields: str) -> str:
    correct_fields(control, landing, **(fields or {"unit_price": "21.50"}))
    return approved_plan(control, landing)


def apply(
    control: Control, url: str, plan_hash: str, timeout_s: float = 30.0, headers: dict | None = None, **options
) -> list[dict]:
    target = HttpTarget(url, headers or {"Authorization": "Bearer token"}, MAPPING, timeout_s=timeout_s)
    try:
        return writeback.apply(control, MAPPING, target, plan_hash, system="erp", **options)
    finally:
        target.close()


def verify(control: Control, landing: Path) -> list[dict]:
    with open_observed(landing, "erp", MAPPING) as observed:
        return writeback.verify(control, MAPPING, observed, "erp")


def main(store: str, url: str, plan_hash: str, die_at: str) -> None:
    def die(phase: str) -> None:
        if phase == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if phase == "sending" and die_at == "during":
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()

    apply(open_control(store), url, plan_hash, timeout_s=30, on_phase=die)


if __name__ == "__main__":
    main(*sys.argv[1:])
