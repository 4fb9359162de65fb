"""What every test area shares: where the outside data sets lie, and that no test touches a real home folder."""

import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


def data_folder(name: str) -> Path | None:
    """The folder of an outside data set (`wwi`, ...), from $CROSSDOCK_DATA or beside the checkout; None when absent."""
    roots = [Path(os.environ["CROSSDOCK_DATA"])] if os.environ.get("CROSSDOCK_DATA") else []
    roots.append(ROOT.parent / "shared" / "data")
    return next((root / name for root in roots if (root / name).is_dir()), None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file whose tests share a server or a build is one process's; other tests go to whichever has room."""
    for item in items:
        known: dict[str, Any] = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
        mine = [one for found in known.values() for one in found if one.baseid.startswith("tests/")]
        if any(one.scope != "function" for one in mine):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@pytest.fixture(scope="session")
def wwi_data() -> Path:
    """The Wide World Importers Parquet folder; skips when it is not there."""
    folder = data_folder("wwi")
    if folder is None:
        pytest.skip("needs Wide World Importers: set CROSSDOCK_DATA to the folder that holds wwi/")
    return folder


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the caller's Crossdock home."""
    monkeypatch.setenv("CROSSDOCK_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("DO_NOT_TRACK", "1")
