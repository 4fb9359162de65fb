"""The doctor finds what is broken in a home, says the way out, and changes nothing."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from sqlalchemy import update

from connectors.control import open_control
from connectors.control.tables import transition
from connectors.landing import Landing
from connectors.writeback.chain import append
from orchestration import mending
from orchestration.cli.doctor import run
from orchestration.doctor import examine
from orchestration.publication import prepare_marts, publish
from orchestration.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "home", systems=tmp_path)
    control = open_control(settings.control)
    settings.home.chmod(0o700)
    Landing(settings.landing / "oms.duckdb", "oms").land_documents("orders", [("1", "{}", None)], {})
    with control.transaction() as connection:
        append(connection, "plan x", None, "planned", "somebody")
    control.close()
    prepare_marts(settings.marts)
    with duckdb.connect(str(settings.warehouse)) as db:
        db.execute("create table t as select 1 as one")
    publish(settings.marts, settings.published, note={"as_of": "2024-01-01T00:00:00Z"})
    return settings


def alter(settings: Settings) -> None:
    control = open_control(settings.control)
    with control.transaction() as connection:
        connection.execute(update(transition).values(actor="somebody else"))
    control.close()


BROKEN: dict[str, tuple[Callable[[Settings], object], str, bool]] = {
    "landing": (lambda s: os.truncate(s.landing / "oms.duckdb", 5000), "--resnapshot oms", False),
    "warehouse": (lambda s: os.truncate(s.warehouse, 5000), "warehouse.duckdb: damaged", True),
    "version": (lambda s: os.truncate(s.snapshot, 5000), "v000001 is not whole", True),
    "version's file": (lambda s: s.snapshot.unlink(), "its file is missing", True),
    "link": (lambda s: (s.published / "current").unlink(), "shows no version", True),
    "control": (lambda s: Path(s.control).write_text("x" * 9000), "control.sqlite is damaged", False),
    "control gone": (lambda s: Path(s.control).unlink(), "is missing or empty, though", False),
    "ledger": (alter, "the ledger was altered", False),
    "access": (lambda s: s.home.chmod(0o755), "every account can read it", False),
}


def test_a_sound_home_has_no_finding(settings: Settings) -> None:
    assert examine(settings, deep=True) == []


@pytest.mark.parametrize("part", BROKEN)
def test_what_is_broken_is_found_with_the_way_out(
    settings: Settings, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, words, heals = BROKEN[part]
    broken(settings)
    before = {path: path.stat().st_mtime_ns for path in settings.home.rglob("*.duckdb")}
    (finding,) = examine(settings)
    assert words in finding.line and finding.heals is heals
    assert {path: path.stat().st_mtime_ns for path in settings.home.rglob("*.duckdb")} == before
    monkeypatch.setenv("CROSSDOCK_HOME", str(settings.home))
    assert run(False, True) == (3 if heals else 1)


def test_mending_does_what_is_safe_lists_it_and_leaves_the_rest_to_a_person(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.published / "current").unlink()
    (settings.published / ".building-1").mkdir()
    restoring = settings.home.parent / f".{settings.home.name}.partial-1-2"
    restoring.mkdir()
    (settings.home / ".control.anchor-1").touch()
    os.truncate(settings.landing / "oms.duckdb", 5000)
    before = (settings.landing / "oms.duckdb").read_bytes()
    instance = SimpleNamespace(ended=["Run 1 ended without a word"])
    monkeypatch.setattr(mending, "_runs", lambda _: instance.ended)
    monkeypatch.delenv("CROSSDOCK_HOME", raising=False)
    assert run(False, True, settings.home, True) == 1
    said = json.loads(capsys.readouterr().out)
    told = "\n".join(said["mended"])
    for words in ("shows v000001 again", ".building-1", ".partial-1-2", ".control.anchor-1", "Run 1 ended"):
        assert words in told
    assert [one["part"] for one in said["found"]] == ["landing/oms.duckdb"]
    assert not restoring.exists() and (settings.landing / "oms.duckdb").read_bytes() == before
    instance.ended = []
    assert run(False, True, settings.home, True) == 1 and json.loads(capsys.readouterr().out)["mended"] == []
