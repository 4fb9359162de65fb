"""Processes that a command starts: each in a group of its own, all of them stopped with it, and nothing else."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

GRACE_S = 8.0
"""With what comes after it a command that is told to end does so within 10 s."""
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class Started:
    """A context in which processes can be started; leaving it, by whatever way, stops every one of them. On Linux they
    also end with the thread that started them, so start them in one that lasts."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Started":
        # A shell that starts us in the background leaves INT ignored, and children would inherit that: Dagster maps
        # TERM
        # to its INT handler and could then not be stopped at all.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._before = signal.signal(signal.SIGTERM, _as_interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave children behind
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            stop(*reversed(self._processes))
        finally:
            signal.signal(signal.SIGINT, before)
            signal.signal(signal.SIGTERM, self._before)

    def start(
        self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, pipe: bool = False
    ) -> "subprocess.Popen[bytes]":
        """Starts a process in its own session; its words go to `log`, its standard output to a pipe when asked."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            process = subprocess.Popen(
                list(command),
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else file,
                stderr=file,
                start_new_session=True,
                preexec_fn=_take_signals,
            )
        self._processes.append(process)
        return process


def stop(*processes: "subprocess.Popen[bytes]", grace_s: float = GRACE_S) -> None:
    """TERM to all of them at once, each of which stops its own children in order; what is left of their groups after
    the grace time, which they share, is killed."""
    over = time.monotonic() + grace_s
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, over - time.monotonic()))
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _take_signals() -> None:
    if _PRCTL is not None:  # a parent that is killed stops nobody: then the kernel does (PR_SET_PDEATHSIG = 1)
        _PRCTL(1, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt
