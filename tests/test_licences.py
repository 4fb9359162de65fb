"""docs/licences.md has every locked package as it describes itself; none is locked whose terms nobody looked at."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.lock").read_text()


@pytest.fixture(scope="module")
def build() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "build_licences.py")))


def test_the_page_is_what_the_lock_file_and_the_packages_say(build: SimpleNamespace) -> None:
    assert (ROOT / "docs" / "licences.md").read_text() == build.page(), "make licences"


def test_every_locked_package_stands_in_it(build: SimpleNamespace) -> None:
    pinned = [line.split(" ")[0] for line in LOCK.splitlines() if "==" in line and not line.startswith((" ", "#"))]
    assert [f"{one.name}=={one.version}" for one in build.locked(LOCK)] == pinned and len(pinned) > 100
    page = (ROOT / "docs" / "licences.md").read_text()
    assert not [pin for pin in pinned if f"| {pin.replace('==', ' | ')} | " not in page]


def test_a_licence_that_asks_for_more_has_a_note_and_no_note_is_left_over(build: SimpleNamespace) -> None:
    assert build.unseen() == []
    assert set(build.NOTES) <= {one.name for one in build.locked(LOCK)}


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "AGPL-3.0", "MIT AND LGPL-3.0-only", "", "Proprietary", "MIT-ish"])
def test_other_terms_are_told_apart(build: SimpleNamespace, licence: str) -> None:
    assert build.ASKS_LITTLE.fullmatch(licence) is None
    assert build.ASKS_LITTLE.fullmatch("Apache-2.0 OR (MIT AND BSD-3-Clause)")
