"""Readers in other processes keep working while a new version is published: no error, no torn read, never stale."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from readers import Seen, swap_under_readers


def assert_undisturbed(seen: list[Seen], newest: int) -> None:
    assert [reader.errors for reader in seen] == [[], [], []]
    assert sum(reader.inconsistent for reader in seen) == 0
    assert sum(reader.stale for reader in seen) == 0
    assert all(reader.reads > 0 and newest in reader.generations for reader in seen)


@pytest.mark.verify
def test_ten_swaps_in_sixty_seconds_disturb_no_reader(tmp_path: Path) -> None:
    assert_undisturbed(swap_under_readers(tmp_path, swaps=10, seconds=60), newest=11)
