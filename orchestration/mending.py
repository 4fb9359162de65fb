"""What `crossdock doctor --mend` does: the parts of a home that can be mended without losing anything, a line for each.

What holds data that cannot be made again (landing, the control store) is never touched here, nor is what the next pass
sets aside and makes anew by itself.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from orchestration.locks import held
from orchestration.publication import mend_current, sweep
from orchestration.settings import Settings

WAIT_S = 5.0


def mend(settings: Settings) -> list[str]:
    """What was mended; repeated it does nothing. Raises Busy while somebody publishes."""
    return [*_published(settings), *_leftovers(settings), *_runs(settings)]


def _published(settings: Settings) -> Iterator[str]:
    yield from mend_current(settings.published, wait_s=WAIT_S)
    if settings.published.is_dir():
        with held(settings.published / ".publish.lock", wait_s=WAIT_S, doing="mending"):
            for path in sweep(settings.published):
                yield f"published/{path.name}, which a killed publication left, was removed"


def _leftovers(settings: Settings) -> Iterator[str]:
    """Of a killed restore, whose home is there by now, and of a killed write of an anchor or key."""
    home = settings.home
    found = [*home.parent.glob(f".{home.name}.partial-*"), *home.glob(".control.*-*")]
    for path in sorted(found):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield f"{path.relative_to(home.parent)}, which a killed command left, was removed"


def _runs(settings: Settings) -> list[str]:
    if not _has_runs(settings.dagster_home):
        return []
    from orchestration.instance import prepare_instance

    prepare_instance(settings.dagster_home)
    import dagster as dg

    from orchestration.runs import end_dead_runs

    with dg.DagsterInstance.get() as instance:
        return end_dead_runs(instance)


def _has_runs(dagster_home: Path) -> bool:
    return (dagster_home / "history").is_dir()
