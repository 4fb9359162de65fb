"""The process that the kill test kills: syncs in a loop and logs each phase it enters, so that the killer can see
where it struck.

`python worker.py DSN SLOT FILE LOG [broken]`: with `broken` the cursor is written in a transaction of its own, which
is the mistake that the kill test must catch.
"""

import os
import random
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.landing import Landing, commit, file
from connectors.model import TransientError
from connectors.postgres.reader import Limits, sync_postgres


@dataclass(frozen=True)
class Spec:
    name: str
    table: str
    key: tuple[str, ...] = ()


STREAMS = [Spec("orders", "k.orders"), Spec("lines", "k.lines")]


def take_the_cursor_out() -> None:
    """Write the cursor after the commit instead of inside it."""
    whole, write = commit.one_commit, commit.write_cursor

    @contextmanager
    def apart(db, system, stream, cursor, **more):
        commit.write_cursor = lambda c, _cursor: "apart"
        with whole(db, system, stream, cursor, **more) as current:
            yield current
        time.sleep(random.uniform(0, 0.05))
        write(current, current.cursor)

    file.one_commit = apart


def main() -> None:
    dsn, slot, path, log_path = sys.argv[1:5]
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    pause = random.Random(os.getpid())

    def phase(name: str) -> None:
        os.write(log, f"{name}\n".encode())
        if name in ("committing", "committed", "acknowledging"):
            time.sleep(pause.uniform(0, 0.03))  # widens the moments that a fast commit would make too short to strike

    if sys.argv[5:] == ["broken"]:
        take_the_cursor_out()
    landing = Landing(path, "erp", on_phase=phase)
    while True:
        try:
            sync_postgres(
                "erp",
                landing,
                dsn=dsn,
                publication="crossdock",
                streams=STREAMS,
                slot=slot,
                limits=Limits(messages=3000, batch=500),
            )
        except TransientError as error:
            os.write(log, f"transient {error}\n".encode())
        os.write(log, b"idle\n")
        time.sleep(0.05)


main()
