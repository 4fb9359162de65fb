"""`python -m sandbox`: starts a world and its systems on loopback, tells how far it is as JSON lines, ends on a signal.

DIR/sandbox/env.json appears when everything is ready: {"env": {...}, "systems": folder of system YAMLs, "pid": ...}.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.systems.box import Box
from sandbox.systems.control import zulu
from sandbox.systems.session import Session


class _Stopped(BaseException):
    """A signal asked us to end."""


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line; ends with status 2 for a bad one."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="a distributor in a box")
    parser.add_argument("--world", choices=("simulated", "wwi"), default="simulated")
    parser.add_argument("--home", type=Path, required=True, help="DIR/sandbox holds env.json, truth.json and the data")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=730, help="days of simulated history")
    parser.add_argument("--orders-per-day", type=float, default=25)
    parser.add_argument("--until", type=datetime.fromisoformat, help="load history up to this date, exclusive")
    parser.add_argument("--live", type=float, metavar="SECONDS_PER_DAY", help="let a day pass every so many seconds")
    parser.add_argument(
        "--replay", action="store_true", help="go on to the world's end, day by day (--live is the pace)"
    )
    parser.add_argument("--chaos", action="store_true", help="turn the fault knobs")
    parser.add_argument(
        "--follow-parent", action="store_true", help="end when the process that started this one is gone"
    )
    chosen = parser.parse_args(words)
    if chosen.days < 1 or chosen.orders_per_day <= 0 or (chosen.live is not None and chosen.live < 0):
        parser.error("--days and --orders-per-day must be above 0, --live at least 0")
    return chosen


def make_world(chosen: argparse.Namespace) -> tuple[Any, dict[str, Any], datetime]:
    """The world, what identifies it, and the moment (aware UTC) up to which its history is loaded."""
    if chosen.world == "wwi":
        from sandbox.wwi.world import WwiWorld

        wwi = WwiWorld()
        return wwi, {"name": "wwi"}, wwi.utc(chosen.until) if chosen.until else wwi.end
    from sandbox.world.simulated import SimulatedWorld

    world = SimulatedWorld(chosen.seed, chosen.days, chosen.orders_per_day)
    identity = {"name": "simulated", "seed": chosen.seed, "days": chosen.days, "orders_per_day": chosen.orders_per_day}
    until = world.now + timedelta(days=chosen.days)
    if chosen.until:
        # The world's day begins at the hour of its first moment.
        until = world.now + timedelta(days=(chosen.until.date() - world.now.date()).days)
    return world, identity, max(until, world.now)


def main() -> int:
    """Exit status: 0 after a signal, 1 when the world or a system fails."""
    chosen = arguments()
    begun = time.monotonic()

    def report(phase: str, **more: object) -> None:
        print(json.dumps({"phase": phase, **more, "seconds": round(time.monotonic() - begun, 2)}), flush=True)

    def stop(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise _Stopped

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    folder = chosen.home / "sandbox"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "env.json").unlink(missing_ok=True)
    box = None
    try:
        report("generate", done=0, total=1)
        world, identity, until = make_world(chosen)
        box = Box(folder, identity, world.erp_zone, only_erp=chosen.world == "wwi")
        session = Session(world, box, chosen.home, report)
        session.open(until, chaos=chosen.chaos)
        report("ready", now=zulu(world.now))
        pace = chosen.live if chosen.live is not None else (0.0 if chosen.replay else None)
        session.run(pace, follow=os.getppid() if chosen.follow_parent else None)
    except _Stopped:
        pass
    except (FileNotFoundError, ValueError, RuntimeError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    finally:
        if box is not None:
            box.stop()
        (folder / "env.json").unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
