"""With a control store that is out of reach what reads reads, and what decides stops with the way out."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.control import Mirror, open_control, read_control, store
from connectors.model import PermanentError, TransientError
from connectors.writeback.chain import append
from orchestration import private, space, writes
from orchestration.cli.app import app
from orchestration.cli.errors import explained
from orchestration.control import deciding_on
from orchestration.settings import Settings
from tests.cli.conftest import Crossdock

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = (("kpi",), ("trace", "S-1"))
READ = (("status",), ("writes",), ("dead-letters",), *PUBLISHED)


@pytest.fixture
def used(home: Path, tmp_path: Path) -> Path:
    """A home with a published version, something landed according to the mirror, and a ledger of one entry."""
    copy = tmp_path / "used"
    shutil.copytree(home, copy, symlinks=True)
    control = open_control(copy / "control.sqlite", anew=True)
    Mirror(control).record_run("erp", position="0/1A", complete_up_to_utc=None, stream_rows={"orders": 7}, dead=[])
    with control.transaction() as connection:
        append(connection, "plan 0123456789ab", None, "planned", "somebody")
    control.close()
    (copy / "systems").mkdir()
    copy.chmod(0o700)
    return copy


def settings_of(home: Path) -> Settings:
    return Settings(home=home, systems=home / "systems")


def commands(home: Path, *words: tuple[str, ...]) -> dict[str, tuple[int, str, str]]:
    """Each command, one after the other: {command: (status, standard output, what it says of its failure)}."""
    env = {"CROSSDOCK_HOME": str(home), "CROSSDOCK_SYSTEMS": str(home / "systems")}
    said = {}
    for one in words:
        done = CliRunner().invoke(app, [*one, "--json"], env=env)
        failed = done.exception is not None and not isinstance(done.exception, SystemExit)
        text, status = explained(done.exception) if failed and done.exception else (done.stderr, done.exit_code)
        said[one[0]] = (status, done.stdout, text)
    return said


def assert_all_read(home: Path) -> None:
    said = commands(home, *READ, ("doctor",))
    assert not [one for one in json.loads(said.pop("doctor")[1]) if "control" in one["part"]]
    assert {name: status for name, (status, _, _) in said.items()} == dict.fromkeys(said, 0), said
    assert json.loads(said["status"][1])["systems"][0]["rows"] == 7


@contextmanager
def mounted(home: Path, size: str) -> Iterator[Path]:
    """A copy of the home on a small file system of its own."""
    place = home.parent / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    try:
        shutil.copytree(home, place / "home", symlinks=True)
        yield place / "home"
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(home: Path) -> None:
    with (home.parent / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def test_commands_that_read_do_not_wait_for_a_writer(used: Path) -> None:
    with closing(sqlite3.connect(used / "control.sqlite", isolation_level=None)) as writer:
        writer.execute("begin exclusive")
        assert_all_read(used)


def test_on_a_full_disk_what_reads_reads_and_what_writes_says_so(used: Path) -> None:
    with mounted(used, "16m") as home:
        fill(home)
        assert_all_read(home)
        with pytest.raises(TransientError, match="disk is full"), deciding_on(settings_of(home)):
            pass
        (home.parent / "ballast").unlink()
        with deciding_on(settings_of(home)):
            pass


def test_a_pass_on_a_full_disk_says_so_with_the_place_and_lands_nothing(used: Path) -> None:
    example = ROOT / "sandbox" / "systems_yaml" / "simulated" / "oms.yaml"
    addresses = dict.fromkeys(re.findall(r"\$\{(\w+)", example.read_text()), "http://127.0.0.1:9")
    with mounted(used, "16m") as home:
        shutil.copy(example, home / "systems")
        fill(home)
        done = Crossdock(home, home)("run", CROSSDOCK_SYSTEMS=str(home / "systems"), **addresses)
        assert done.returncode == 1 and "the disk is full: 0.0 MB" in done.stderr and str(home) in done.stderr
        assert not (home / "landing").exists()


@pytest.mark.parametrize("said", ["OSError: [Errno 28] No space left on device", "database or disk is full"])
def test_whoever_runs_into_the_end_of_a_disk_it_is_said_as_one(used: Path, said: str) -> None:
    with pytest.raises(space.DiskFull, match="the disk is full: .* goes on by itself"), space.minded(settings_of(used)):
        raise RuntimeError(f"step x failed: {said}")
    with pytest.raises(RuntimeError, match="disk I/O error"), space.minded(settings_of(used)):
        raise RuntimeError("disk I/O error")  # and the disk has room: that is another fault


@pytest.mark.parametrize("killed", [False, True])
def test_on_a_read_only_disk_all_is_read_also_what_a_killed_writer_left_in_the_log(used: Path, killed: bool) -> None:
    with mounted(used, "16m") as home:
        if killed:
            code = (
                f"import os, sqlite3; c = sqlite3.connect({str(home / 'control.sqlite')!r}, isolation_level=None);"
                "c.execute('update landed set rows = 8'); c.execute('update landed set rows = 7'); os._exit(0)"
            )
            subprocess.run([sys.executable, "-c", code], check=True)
            (home / "control.sqlite-shm").unlink()
        home.chmod(0o755)  # which cannot be closed any more
        subprocess.run(["mount", "-o", "remount,ro", home.parent], check=True)
        private.close(home, {})
        assert_all_read(home)
        with pytest.raises((PermanentError, TransientError), match="control"), deciding_on(settings_of(home)):
            pass


def test_a_store_that_stays_locked_stops_what_decides(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WAIT_S", 0.2)
    with closing(sqlite3.connect(used / "control.sqlite", isolation_level=None)) as writer:
        writer.execute("begin immediate")
        with pytest.raises(TransientError, match=r"stays locked by another process; nothing of this step was recorded"):
            with deciding_on(settings_of(used)):
                pass


def garbage(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(os.urandom(2000))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "header": lambda path: garbage(path, 0),
    "pages": lambda path: [garbage(path, page * 4096) for page in range(1, path.stat().st_size // 4096)],
    "one page": lambda path: garbage(path, path.stat().st_size // 2 // 4096 * 4096),
    "cut short": lambda path: os.truncate(path, 5000),
    "emptied": lambda path: os.truncate(path, 0),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_or_missing_store_stops_what_decides_with_the_way_out(used: Path, what: str) -> None:
    DAMAGE[what](used / "control.sqlite")
    for _ in range(2):  # the first look does not make a new one either
        with pytest.raises(PermanentError, match=r"control\.sqlite.*(damaged|missing).*crossdock restore"):
            with deciding_on(settings_of(used)):
                pass


def test_the_commands_say_it_too_and_what_is_published_is_read(used: Path) -> None:
    (used / "control.sqlite").unlink()
    said = commands(used, ("approve", "0123456789"), ("apply", "0123456789"), ("writes",), ("status",), *PUBLISHED)
    for name in ("approve", "writes", "status"):
        status, _, words = said[name]
        assert status == 1 and "is missing or empty" in words and "crossdock restore" in words, said[name]
    assert said["apply"][0] != 0 and said["kpi"][0] == said["trace"][0] == 0
    assert not (used / "control.sqlite").exists()


def test_without_a_backup_an_empty_ledger_begins_by_a_person_and_says_so(used: Path) -> None:
    (used / "control.sqlite").unlink()
    settings = settings_of(used)
    assert writes.accept(settings, "the disk died")["accepted"] == "the control store was missing"
    with deciding_on(settings) as control, control.transaction() as connection:
        said = connection.exec_driver_sql("select subject, after, detail from transition").fetchall()
    assert said == [("ledger", "accepted", "the disk died (the control store was missing)")]


def test_a_home_that_was_never_used_is_empty_and_not_at_fault(tmp_path: Path) -> None:
    control = read_control(tmp_path / "control.sqlite")
    assert Mirror(control).systems() == [] and list(tmp_path.iterdir()) == []
