"""SIGKILL at random moments of a first sync, over SFTP and over HTTP: nothing is lost and nothing is doubled."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from connectors.landing import Landing
from connectors.sync import landing_of, sync
from tests.edi.advice import interchange, shipment
from tests.files.test_sync_files import event

CHILD = textwrap.dedent(
    """
    import os, sys
    from pathlib import Path
    from connectors.config import load_systems
    from connectors.files import reader
    from connectors.sync import sync
    reader.BATCH_FILES = 10
    (wms,) = load_systems(sys.argv[1])
    print("start", flush=True)
    sync(wms, Path(sys.argv[2]), on_progress=lambda *at: print(*at, flush=True))
    print("done", flush=True)
    """
)
YAML = """\
system: wms
role: wms
read: {{kind: sftp, host: 127.0.0.1, port: {port}, username: crossdock, password: "${{WMS_PASSWORD}}", root: /outbound,
  settle: 10ms, host_key: "{key}"}}
streams:
  - {{name: ship_confirmation, pattern: "*/945_*.x12", format: x12_945}}
  - {{name: event, pattern: "*/events_*.jsonl", format: jsonl, key: [id]}}
"""


@pytest.mark.verify
def test_killed_at_random_moments_every_file_lands_exactly_once(drop, wms, home, tmp_path):
    kills = 25
    for number in range(150):
        drop.put(
            f"EWR/945_{number:03d}.x12", interchange(number, [shipment(1), shipment(2, number=f"E-{number}")[:-1]])
        )
        drop.put(f"EWR/events_{number:03d}.jsonl", event(2 * number) + event(2 * number + 1) + "broken\n")
    systems = tmp_path / "systems"
    systems.mkdir()
    (systems / "wms.yaml").write_text(YAML.format(port=drop.port, key=drop.host_key))
    env = {**os.environ, "WMS_PASSWORD": wms.read.password.get_secret_value(), "PYTHONPATH": os.getcwd()}
    dice = random.Random(kills)
    killed = 0
    for _ in range(kills * 3):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, systems, home], env=env, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None and child.stdout.readline() == "start\n"
        time.sleep(dice.uniform(0.02, 0.6))
        alive = child.poll() is None
        child.send_signal(signal.SIGKILL)
        out = child.communicate()[0]
        killed += alive and "done" not in out
        if killed == kills:
            break
        if "done" in out:
            (home / "landing" / "wms.duckdb").unlink()
    sync(wms, home)
    assert killed == kills
    landing = landing_of(home, "wms")
    assert isinstance(landing, Landing)
    with landing.session() as db:
        for stream, expected in (("ship_confirmation", 150), ("event", 300)):
            counts = db.execute(f"select count(*), count(distinct doc_key) from raw_wms.{stream}").fetchone()
            log = db.execute(f"select count(*), count(distinct doc_key) from raw_wms.{stream}__log").fetchone()
            assert counts == log == (expected, expected), stream
        assert db.execute("select count(*), count(distinct path), sum(rows) from _land.file").fetchone() == (
            300,
            300,
            450,
        )
        assert db.execute("select count(*), sum(attempts) from _land.dead_letter").fetchone() == (300, 300)
        assert db.execute("select count(*), count(distinct control) from _land.interchange").fetchone() == (150, 150)
