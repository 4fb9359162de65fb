"""A batch is all or nothing: rows, state, cursor, dead letters and batch record, whatever kills the process."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from connectors.landing import Landing
from connectors.model import DeadLetter

ROWS = [(str(i), "x" * 50, None) for i in range(2000)]


def everything(landing: Landing) -> tuple:
    with landing.session() as db:
        counts = [
            db.execute(f"select count(*) from {relation}").fetchone()
            for relation in ("raw_oms.orders", "raw_oms.orders__log", "_land.batch", "_land.dead_letter")
        ]
        return landing.cursor("orders"), counts


@pytest.mark.parametrize("phase", ["writing", "committing"])
def test_an_error_at_any_phase_leaves_nothing_of_the_batch(tmp_path: Path, phase: str) -> None:
    landing = Landing(tmp_path / "oms.duckdb", "oms")
    landing.land_documents("orders", ROWS[:1], {"at": 0})
    before = everything(landing)

    def fail(name: str) -> None:
        if name == phase:
            raise OSError("no space left")

    broken = Landing(tmp_path / "oms.duckdb", "oms", on_phase=fail)
    with pytest.raises(OSError, match="no space left"):
        broken.land_documents("orders", ROWS, {"at": 1}, [DeadLetter("orders", "bad", b"")])
    assert everything(landing) == before


@pytest.mark.parametrize("phase", ["writing", "committing", "committed"])
def test_sigkill_at_any_phase_leaves_all_of_the_batch_or_nothing(tmp_path: Path, phase: str) -> None:
    path = tmp_path / "oms.duckdb"
    Landing(path, "oms").land_documents("orders", ROWS[:1], {"at": 0})
    script = textwrap.dedent(f"""
        import os, signal
        from connectors.landing import Landing
        rows = [(str(i), "y" * 50, None) for i in range(2000)]
        die = lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == {phase!r} else None
        Landing({str(path)!r}, "oms", on_phase=die).land_documents("orders", rows, {{"at": 1}})
    """)
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    cursor, (state, log, batches, _dead) = everything(Landing(path, "oms"))
    if phase == "committed":
        assert (cursor, state, log, batches) == ({"at": 1}, (2000,), (2001,), (2,))
    else:
        assert (cursor, state, log, batches) == ({"at": 0}, (1,), (1,), (1,))
