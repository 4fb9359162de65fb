"""Runs one server and ends it when the parent goes: `python guard.py <uid|-> <gid|-> <command...>`.

The parent holds our stdin. It may be killed without a chance to clean up, and a parent-death signal follows the
*thread* that started the child, so a pipe is the reliable witness: when stdin says anything or ends, the server gets
SIGINT (Postgres: fast shutdown), then SIGQUIT after ten seconds. Standalone on purpose: only the standard library,
started with -I -S, so that it is up in milliseconds.
"""

from __future__ import annotations

import ctypes
import select
import signal
import subprocess
import sys

GRACE_SECONDS = 10.0


def _die_with_guard() -> None:
    """On Linux the kernel also ends the server should the guard itself be killed (prctl PR_SET_PDEATHSIG = 1)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


def main() -> int:
    """Exit status of the server, or 0 after an orderly stop."""
    uid, gid, *command = sys.argv[1:]
    account: dict[str, object] = {} if uid == "-" else {"user": int(uid), "group": int(gid), "extra_groups": []}
    child = subprocess.Popen(  # type: ignore[call-overload]
        command, stdin=subprocess.DEVNULL, cwd="/", preexec_fn=_die_with_guard, **account
    )
    signal.signal(signal.SIGINT, lambda *_: sys.exit(_stop(child)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_stop(child)))
    while child.poll() is None:
        ready, _, _ = select.select([sys.stdin], [], [], 0.2)
        if ready:
            return _stop(child)
    return int(child.returncode)


def _stop(child: subprocess.Popen[bytes]) -> int:
    for step in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        child.send_signal(step)
        try:
            child.wait(GRACE_SECONDS)
            return 0
        except subprocess.TimeoutExpired:
            continue
    return 1


if __name__ == "__main__":
    sys.exit(main())
