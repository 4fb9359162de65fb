"""Documents of 40 MB land and one of 100 MB is a dead letter between them, from a file drop and from an API, within the
stated memory."""

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from connectors.landing import Landing
from tests.files.conftest import PASSWORD

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.verify


def measured(tmp_path, read, stream):
    given = tmp_path / "given.json"
    given.write_text(json.dumps({"read": read, "streams": [{"name": "event", "key": ["id"], **stream}]}))
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "measured.py"), str(given), str(tmp_path / "home")],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def landed(tmp_path):
    with Landing(tmp_path / "home" / "landing" / "s.duckdb", "s").session() as db:
        db.execute("set memory_limit = '2GB'")
        return dict(db.execute("select doc_key, strlen(doc) // 1000000 from raw_s.event").fetchall())


def document(number, megabytes, shape):
    if shape == "text":
        return json.dumps({"id": f"E-{number}", "note": "n" * megabytes * 1_000_000})
    lines = ",".join(['{"sku": "142", "qty": 4}'] * (megabytes * 40_000))
    return f'{{"id": "E-{number}", "lines": [{lines}]}}'


@pytest.mark.parametrize("shape", ["text", "lines"])
@pytest.mark.parametrize("way", ["one file each", "lines of one file"])
def test_a_file_drop(drop, tmp_path, way, shape):
    lines = [document(n, size, shape) + "\n" for n, size in ((1, 40), (2, 1 if way[0] == "l" else 100), (3, 0))]
    if way == "one file each":
        for number, line in enumerate(lines):
            drop.put(f"EWR/events_{number}.jsonl", line)
    else:
        lines[1] = document(2, 70, shape) + "\n"
        drop.put("EWR/events_1.jsonl", "".join(lines))
    read = {
        "kind": "sftp", "host": "127.0.0.1", "port": drop.port, "username": "crossdock", "password": PASSWORD,
        "host_key": drop.host_key, "root": "/outbound", "settle": "50ms",
    }  # fmt: skip
    told = measured(tmp_path, read, {"pattern": "*/events_*.jsonl", "format": "jsonl"})
    print(way, shape, told)
    assert (told["rows"], told["dead"]) == (2, 1) and told["peak_mb"] < 1_000
    assert set(landed(tmp_path)) == {"E-1", "E-3"} and landed(tmp_path)["E-1"] >= 40


@pytest.mark.parametrize("shape", ["text", "lines"])
def test_an_api(tmp_path, shape):
    records = ",".join(document(n, size, shape) for n, size in ((1, 40), (2, 100), (3, 0)))
    body = ('{"events": [' + records + "]}").encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        read = {"kind": "rest", "base_url": f"http://127.0.0.1:{server.server_port}"}
        told = measured(tmp_path, read, {"path": "/events", "records": "events", "document": "event"})
        server.shutdown()
    print(shape, told)
    assert (told["rows"], told["dead"]) == (2, 1) and told["peak_mb"] < 1_500
    assert set(landed(tmp_path)) == {"E-1", "E-3"}
