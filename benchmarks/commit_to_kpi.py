"""How long a source change takes to be in the published KPI, in the running demo, against the limit of 30 s.

Each round lets one day pass in the sandbox and waits until the published snapshot is as of that day. The clock starts
when the sources have committed. After each round the company's totals must equal the world's own ledger.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import duckdb

LIMIT_S = 30.0
ROUNDS = 5
DAYS = int(os.environ.get("BENCH_DAYS", "730"))


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as folder:
        home = Path(folder) / "home"
        log = (Path(folder) / "demo.log").open("wb")
        command = [sys.executable, "-m", "orchestration.cli", "demo", "--home", str(home), "--days", str(DAYS)]
        demo = subprocess.Popen([*command, "--live", "86400"], stdout=log, stderr=log, start_new_session=True)
        try:
            wait(lambda: b"Ctrl-C stops" in Path(log.name).read_bytes(), demo, 900)
            seconds = [one_round(home, demo) for _ in range(ROUNDS)]
        finally:
            demo.send_signal(signal.SIGINT)
            try:
                demo.wait(120)
            except subprocess.TimeoutExpired:
                demo.kill()
    value = statistics.median(seconds)
    print(
        json.dumps(
            {
                "name": "commit_to_kpi", "value": round(value, 2), "unit": "s", "peer": "limit",
                "peer_value": LIMIT_S, "ratio": round(value / LIMIT_S, 3), "peer_version": "stated limit",
                "settings": {"days": DAYS, "rounds": ROUNDS, "poll_s": 5, "each_s": [round(one, 1) for one in seconds]},
            }
        )
    )  # fmt: skip
    return 0


def one_round(home: Path, demo: "subprocess.Popen[bytes]") -> float:
    control = json.loads((home / "sandbox" / "env.json").read_text())["env"]["SANDBOX_CONTROL"]
    request = urllib.request.Request(
        f"{control}/advance", data=b'{"days": 1}', headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        now = json.load(answer)["now"].replace("Z", "").replace("T", " ").split("+")[0]
    started = time.perf_counter()
    current, seen = home / "published" / "current", None

    def is_there() -> bool:
        nonlocal seen  # a version is opened once: looking must not take the machine from the pass
        if (version := current.readlink()) == seen:
            return False
        seen = version
        return bool(published(home)[0] >= now)

    wait(is_there, demo, 300)
    seconds = time.perf_counter() - started
    true = {
        row["kpi_id"]: (row["numerator"], row["denominator"])
        for row in json.loads((home / "sandbox" / "truth.json").read_text())
        if row["period"] == "total" and not row["dimensions"]
    }
    assert published(home)[1] == true, "the published totals do not equal the world's ledger"
    return seconds


def published(home: Path) -> tuple[str, dict[str, Any]]:
    path = home / "published" / "current" / "crossdock.duckdb"
    with duckdb.connect(str(path.resolve()), read_only=True) as connection:
        rows = connection.execute(
            "select kpi_id, numerator::double, denominator::double, as_of_utc::varchar from kpi.kpi_cell "
            "where period = 'total' and dimension = ''"
        ).fetchall()
    return max(row[3] for row in rows), {row[0]: (row[1], row[2]) for row in rows}


def wait(ready: Any, demo: "subprocess.Popen[bytes]", most_s: float) -> None:
    deadline = time.monotonic() + most_s
    while not ready():
        if demo.poll() is not None:
            raise SystemExit("the demo ended early")
        if time.monotonic() > deadline:
            raise SystemExit(f"not there after {most_s:.0f} s")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
