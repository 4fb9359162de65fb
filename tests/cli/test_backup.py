"""A backup is whole or not there, can be taken under load, and comes back without sending anything twice."""

import os
import stat
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from sqlalchemy import insert, select

from connectors.control import Mirror, open_control
from connectors.control.keeping import NoKey
from connectors.control.store import utc_now
from connectors.control.tables import intent, plan
from connectors.landing import Landing
from connectors.load import load
from connectors.writeback.chain import append, check_chain
from orchestration.backup import BackupError, backup, restore
from orchestration.settings import Settings

OMS = SimpleNamespace(
    system="oms", read=SimpleNamespace(kind="rest"), streams=[SimpleNamespace(name="orders")], role="oms"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "home", systems=tmp_path, lock_wait_s=30)
    open_control(settings.control).close()
    land(settings, 0)
    return settings


def land(settings: Settings, number: int) -> None:
    Landing(settings.landing / "oms.duckdb", "oms").land_documents("orders", [(str(number), "{}", None)], {"n": number})


def test_a_backup_under_load_is_one_state_of_each_file_and_not_behind_the_mirror(
    settings: Settings, tmp_path: Path
) -> None:
    done = threading.Event()

    def work() -> None:
        number = 0
        mirror = Mirror(open_control(settings.control))
        while not done.is_set():
            number += 1
            land(settings, number)
            mirror.record_run("oms", position=str(number), complete_up_to_utc=None, stream_rows={}, dead=[])
        mirror.control.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for turn in range(4):
            backup(settings, tmp_path / f"backup{turn}")
    finally:
        done.set()
        worker.join()
    for turn in range(4):
        home = tmp_path / f"restored{turn}"
        restore(tmp_path / f"backup{turn}", home)
        landing = Landing(home / "landing" / "oms.duckdb", "oms")
        cursor = (landing.cursor("orders") or {})["n"]
        load([OMS], home, home / "warehouse.duckdb")
        with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as db:
            found = db.execute("select count(*), max(doc_key::int) from raw_oms.orders").fetchone()
        assert found == (cursor + 1, cursor), "rows and cursor are of the same commit"
        mirrored = Mirror(open_control(home / "control.sqlite")).landed("oms")
        assert mirrored is None or int(mirrored.position or 0) <= cursor


def test_a_backup_and_a_restored_home_are_for_their_owner_alone(settings: Settings, tmp_path: Path) -> None:
    backup(settings, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "new")
    for folder in (tmp_path / "backup", tmp_path / "new"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not list(tmp_path.glob(".*partial*"))


def test_a_file_that_is_not_what_was_backed_up_restores_nothing(settings: Settings, tmp_path: Path) -> None:
    backup(settings, tmp_path / "backup")
    with (tmp_path / "backup" / "landing" / "oms.duckdb").open("r+b") as file:
        file.seek(5000)
        file.write(os.urandom(8))
    with pytest.raises(BackupError, match=r"oms\.duckdb is not what was backed up"):
        restore(tmp_path / "backup", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_neither_a_home_nor_a_backup_is_written_over(settings: Settings, tmp_path: Path) -> None:
    backup(settings, tmp_path / "backup")
    with pytest.raises(BackupError, match="not empty"):
        backup(settings, tmp_path / "backup")
    with pytest.raises(BackupError, match="not empty"):
        restore(tmp_path / "backup", settings.home)
    with pytest.raises(BackupError, match="inside the home"):
        backup(settings, settings.home / "backup")


def test_a_ledger_that_begins_during_a_backup_comes_back_with_its_key(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration import backup as module

    copy = module._copy_control

    def begins(source: Path, target: Path) -> None:
        control = open_control(source)
        with control.transaction() as connection:
            append(connection, "plan 0123456789ab", None, "planned", "somebody")
        control.close()
        copy(source, target)

    monkeypatch.setattr(module, "_copy_control", begins)
    backup(settings, tmp_path / "backup")
    assert restore(tmp_path / "backup", tmp_path / "new").has_control


def test_what_may_have_been_sent_since_the_backup_needs_a_new_approval(settings: Settings, tmp_path: Path) -> None:
    control = open_control(settings.control)
    with control.transaction() as connection:
        for name, state in (("unused", "approved"), ("used", "applied")):
            connection.execute(
                insert(plan).values(
                    hash=name, system="erp", body="{}", state=state, planned_by="a", planned_utc=utc_now(),
                    expires_utc=utc_now(),
                )
            )  # fmt: skip
            append(connection, f"plan {name}", None, state, "a")
        for key, state in (("1", "approved"), ("2", "throttled"), ("3", "sent"), ("4", "verified")):
            connection.execute(
                insert(intent).values(
                    plan_hash="used", system="erp", entity="item", key=key, fields="{}", precondition="7", state=state,
                    updated_utc=utc_now(),
                )
            )  # fmt: skip
            append(connection, f"intent {key}", None, state, "a")
    control.close()
    backup(settings, tmp_path / "backup")
    assert restore(tmp_path / "backup", tmp_path / "new").withdrawn == 4
    again = open_control(tmp_path / "new" / "control.sqlite")
    with again.transaction() as connection:
        states = connection.execute(select(intent.c.state).order_by(intent.c.key)).scalars().all()
        plans = dict(connection.execute(select(plan.c.hash, plan.c.state)).all())  # type: ignore[arg-type]
    assert states == ["released", "released", "sent", "verified"]
    assert plans == {"unused": "superseded", "used": "superseded"}
    assert check_chain(again) is None
    again.close()


def test_what_a_killed_backup_left_is_removed_by_the_next_one_and_nothing_else(
    settings: Settings, tmp_path: Path
) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead, alive = (tmp_path / f".backup.partial-{pid}-ab" for pid in (gone.pid, os.getpid()))
    for one in (dead, alive):
        one.mkdir()
    backup(settings, tmp_path / "backup")
    assert not dead.exists() and alive.exists()


def test_a_restored_ledger_fits_its_anchor_and_needs_the_key_it_was_made_with(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSDOCK_LEDGER_KEY", "k" * 32)
    control = open_control(settings.control)
    with control.transaction() as connection:
        append(connection, "plan 0123456789ab", None, "planned", "a")
    control.close()
    backup(settings, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "new")
    again = open_control(tmp_path / "new" / "control.sqlite")
    assert check_chain(again) is None
    again.close()
    assert not list(tmp_path.rglob("control.key")), "a key of the environment is written nowhere"
    monkeypatch.delenv("CROSSDOCK_LEDGER_KEY")
    with pytest.raises(NoKey):
        restore(tmp_path / "backup", tmp_path / "other")
    assert not (tmp_path / "other").exists()
