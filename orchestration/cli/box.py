"""The sandbox as the demo sees it: a process that is started, reports how far it is, and lets days pass."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestration.cli.errors import Failed
from orchestration.cli.output import out
from orchestration.cli.processes import Started
from orchestration.progress import Progress
from orchestration.settings import REPOSITORY, Settings


def start_sandbox(processes: Started, world: str, options: Sequence[str], home: Path, progress: Progress) -> Settings:
    """The box, ready, and the settings that see it; `options` go to `python -m sandbox` as they are.

    Raises Failed with the end of its log when it does not come up.
    """
    command = [sys.executable, "-m", "sandbox", "--world", world, "--home", str(home), "--follow-parent", *options]
    log = home / "logs" / "sandbox.log"
    box = processes.start(command, env=os.environ, cwd=REPOSITORY, log=log, pipe=True)
    assert box.stdout is not None
    last = ("", 0.0)
    for line in box.stdout:
        said = _json(line)
        phase = {"generate": "generation", "load": "load"}.get(said.get("phase", ""))
        seconds = float(said.get("seconds") or 0.0)
        if last[0]:
            progress.add(last[0], seconds - last[1])
        last = (phase or "", seconds)
        if phase:
            progress.report(phase, world, int(said.get("done") or 0), said.get("total"))
        if said.get("phase") == "ready":
            break
    else:
        raise Failed(f"the sandbox did not start: {tail(log)}")
    threading.Thread(target=_drain, args=(box, log), daemon=True).start()
    while not (home / "sandbox" / "env.json").exists():
        if box.poll() is not None:
            raise Failed(f"the sandbox ended: {tail(log)}")
        time.sleep(0.05)
    environment = {
        name: value for name, value in os.environ.items() if name not in ("CROSSDOCK_SYSTEMS", "CROSSDOCK_BUSINESS_NOW")
    }
    return Settings.from_env({**environment, "CROSSDOCK_HOME": str(home)})


def advance(control: str) -> None:
    """Let a day pass. A world that ended is told; raises Failed when the sandbox does not answer any more."""
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        f"{control}/advance", data=b'{"days": 1}', headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310
            out().print(f"the world's now: {json.load(answer)['now']}")
    except urllib.error.HTTPError as error:
        out().print(f"the world does not go on: {error.read().decode(errors='replace')[:200]}")
    except OSError as error:
        raise Failed(f"the sandbox does not answer any more: {error}") from error


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error of one line."""
    return " | ".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "it said nothing"


def _drain(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Keeps the pipe of the sandbox empty, or it would stop when the pipe is full."""
    assert process.stdout is not None
    with log.open("ab") as file:
        for line in process.stdout:
            file.write(line)


def _json(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
