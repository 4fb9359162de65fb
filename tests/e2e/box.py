"""A sandbox under a test: started in a process of its own, advanced by its control API, ended with the test."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.demo import ROOT


@dataclass
class Box:
    """A running sandbox. `home` is the Crossdock home that finds it by itself."""

    home: Path
    env: dict[str, str]

    def advance(self, days: int = 1) -> None:
        self._post("advance", {"days": days})

    def faults(self, knobs: dict[str, Any]) -> None:
        """Turn the fault knobs of systems: `{"oms": {"error_rate": 0.4}, "erp": None}`; None rests all of a system."""
        self._post("faults", knobs)

    def now(self) -> str:
        """What time it is in the world, as 2023-10-04T10:00:00Z."""
        with urllib.request.urlopen(f"{self.env['SANDBOX_CONTROL']}/now", timeout=60) as answer:
            return str(json.load(answer)["now"])

    def erp_api(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[Any, str]:
        """One request to the ERP's own API; returns the body and the version."""
        request = urllib.request.Request(
            self.env["ERP_API"] + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self.env['ERP_API_TOKEN']}", **headers},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer), answer.headers["ETag"]

    def _post(self, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.env['SANDBOX_CONTROL']}/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)


@contextmanager
def sandbox(home: Path, *arguments: str) -> Iterator[Box]:
    log = home / "sandbox.log"
    command = [sys.executable, "-m", "sandbox", "--home", str(home), "--follow-parent", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, env=dict(os.environ))
        try:
            ready = home / "sandbox" / "env.json"
            while not ready.exists():
                assert process.poll() is None, log.read_text()[-3000:]
                time.sleep(0.1)
            yield Box(home, json.loads(ready.read_text())["env"])
        finally:
            process.terminate()
            process.wait(60)
