"""SIGTERM ends a command within seconds, whatever it waits for.

Dagster takes the signal's handler while a run is on, and a read in native code does not let a Python handler run. The
wakeup descriptor is written by the interpreter at the signal itself, whoever handles it. Ending hard is safe here: what
landed is committed, locks end with the process, and the run is found dead by whoever comes next.
"""

import os
import signal
import threading

GRACE_S = 8.0
"""For the handlers that there are to end the command in order; with the exit it stays under 10 s."""


def end_within_grace() -> None:
    """From now on this process ends at the latest `GRACE_S` after a SIGTERM, with the status a shell gives it (143).

    Call it in the main thread, in a command that starts no processes of its own.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=[told], name="termination", daemon=True).start()


def _watch(told: int) -> None:
    while signal.SIGTERM not in os.read(told, 64):
        pass
    threading.Event().wait(GRACE_S)
    os._exit(128 + signal.SIGTERM)
