"""A `current` that shows no whole version is mended by the next pass, which shows the newest whole one."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.automation import Automation
from orchestration.passes import opened
from orchestration.publication import PublicationError, current, mend_current, publish, versions
from orchestration.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))
from readers import build

NOTE = {"as_of": "2024-03-05T00:00:00Z", "work_key": "x"}
BROKEN: dict[str, tuple[Callable[[Path], object], int]] = {
    "link removed": (lambda published: (published / "current").unlink(), 3),
    "version removed": (lambda published: shutil.rmtree(published / "v000003"), 2),
    "note removed": (lambda published: (published / "v000003" / "snapshot.json").unlink(), 2),
    "note cut": (lambda published: os.truncate(published / "v000003" / "snapshot.json", 20), 2),
    "file removed": (lambda published: (published / "v000003" / "crossdock.duckdb").unlink(), 2),
    "file cut": (lambda published: os.truncate(published / "v000003" / "crossdock.duckdb", 5000), 2),
    "link became a copy": (lambda published: copied(published / "current"), 3),
}


def copied(link: Path) -> None:
    folder = link.resolve()
    link.unlink()
    shutil.copytree(folder, link)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path, systems=tmp_path, business_now="2024-03-05T00:00:00Z", lock_wait_s=5)
    build(settings.marts, 1)
    for _ in range(3):
        publish(settings.marts, settings.published, note=NOTE)
    return settings


@pytest.mark.parametrize("how", BROKEN)
def test_the_pass_shows_the_newest_whole_version_and_the_next_one_publishes(settings: Settings, how: str) -> None:
    broken, expected = BROKEN[how]
    broken(settings.published)
    with opened(settings, {}) as the_pass:
        the_pass.take_warehouse()
    assert any(f"v{expected:06d}" in line for line in the_pass.mended)
    assert current(settings.published).version == expected  # type: ignore[union-attr]
    assert mend_current(settings.published) == []
    assert publish(settings.marts, settings.published, note=NOTE).version > expected
    assert mend_current(settings.published) == []


def test_without_a_whole_version_the_pass_publishes_anew(settings: Settings) -> None:
    for number in versions(settings.published):
        (settings.published / f"v{number:06d}" / "snapshot.json").write_text("{")
    with pytest.raises(PublicationError, match="crossdock run"):
        current(settings.published)
    assert Automation(settings, None, []).why_reconcile(settings.now()) is not None  # type: ignore[arg-type]
    assert "no whole version" in mend_current(settings.published)[0]
    assert current(settings.published) is None
    assert publish(settings.marts, settings.published, note=NOTE).version == 4


def test_nothing_is_mended_where_nothing_was_published(tmp_path: Path) -> None:
    assert mend_current(tmp_path / "published") == []
    assert not (tmp_path / "published").exists()
