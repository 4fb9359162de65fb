"""No page makes a sandbox system do or tell anything, nor by a name that was made to point at this machine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx2
import pytest

from sandbox.systems.box import Box
from sandbox.systems.control import control_app
from tests.sandbox_systems.conftest import BEGUN


@pytest.fixture
def control(tmp_path: Path) -> Iterator[tuple[httpx2.Client, list[float]]]:
    """The control API of a box that was not started, and the days that were let pass through it."""
    box, passed = Box(tmp_path, {}, "UTC", only_erp=True), []

    def advance(days: float) -> datetime:
        passed.append(days)
        return BEGUN

    with httpx2.Client(base_url=box.servers.serve(control_app(box, advance)), trust_env=False) as client:
        yield client, passed
    box.servers.stop()


@pytest.mark.parametrize(
    "foreign",
    [
        {"Host": "attacker.example"},
        {"Host": "127.0.0.1.attacker.example"},
        {"Origin": "http://attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_what_a_page_sends_is_refused(control: tuple[httpx2.Client, list[float]], foreign: dict[str, str]) -> None:
    client, passed = control
    assert client.get("/healthz", headers=foreign).status_code in (403, 421)
    assert client.post("/advance", content='{"days": 1}', headers=foreign).status_code in (403, 421)
    assert passed == []
    assert client.post("/advance", json={"days": 1}).status_code == 200 and passed == [1]


def test_no_day_passes_by_get(control: tuple[httpx2.Client, list[float]]) -> None:
    client, passed = control
    assert client.get("/advance", params={"days": 1}).status_code == 405
    assert client.get("/faults").status_code == 405
    assert passed == []
