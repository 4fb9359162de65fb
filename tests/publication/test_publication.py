"""Publishing: complete or not at all, unique versions, only what readers can read."""

import json
import multiprocessing
import os
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.publication import PublicationError, current, prepare_marts, publish, reading, versions

sys.path.insert(0, str(Path(__file__).parent))
from readers import ROWS, build


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    marts = tmp_path / "marts" / "crossdock.duckdb"
    build(marts, 1)
    return marts, tmp_path / "published"


def test_a_published_version_holds_what_the_marts_held_and_its_note(places: tuple[Path, Path]) -> None:
    marts, published = places
    snapshot = publish(marts, published, note={"as_of": "2024-01-01T00:00:00Z"})
    with reading(published) as (connection, seen):
        assert connection.execute("select sum(amount) from kpi.orders").fetchone() == (ROWS,)
        assert seen.version == snapshot.version == 1
        assert seen.note["as_of"] == "2024-01-01T00:00:00Z"
    assert sorted(path.name for path in snapshot.folder.iterdir()) == ["crossdock.duckdb", "snapshot.json"]


def test_current_is_a_relative_directory_link_so_that_a_home_can_move(places: tuple[Path, Path]) -> None:
    marts, published = places
    publish(marts, published, note={})
    assert os.readlink(published / "current") == "v000001"


def test_only_the_last_versions_are_kept(places: tuple[Path, Path]) -> None:
    marts, published = places
    for _ in range(5):
        publish(marts, published, note={}, keep=2)
    assert versions(published) == [4, 5]
    assert current(published).version == 5  # type: ignore[union-attr]


def test_what_a_killed_publication_left_is_swept_and_its_number_is_not_reused(places: tuple[Path, Path]) -> None:
    marts, published = places
    publish(marts, published, note={})
    (published / ".building-dead").mkdir()
    (published / ".building-dead" / "crossdock.duckdb").write_bytes(b"half")
    (published / "v000002").mkdir()  # renamed, but killed before the link moved
    assert current(published).version == 1  # type: ignore[union-attr]
    assert publish(marts, published, note={}).version == 3
    assert not list(published.glob(".building-*"))


def test_nothing_to_publish_is_said_so_and_leaves_current_alone(places: tuple[Path, Path], tmp_path: Path) -> None:
    marts, published = places
    publish(marts, published, note={})
    with pytest.raises(PublicationError, match="no marts file"):
        publish(tmp_path / "absent.duckdb", published, note={})
    assert versions(published) == [1]


def test_reading_before_the_first_publication_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match="crossdock run"), reading(tmp_path):
        pass


def test_the_marts_file_is_readable_for_clients_of_duckdb_1_5(tmp_path: Path) -> None:
    marts = tmp_path / "marts" / "crossdock.duckdb"
    prepare_marts(marts)
    with duckdb.connect(str(marts)) as connection:
        connection.execute("create table t as select 1 as one")
        storage = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where not internal"
        ).fetchone()
    assert storage is not None and storage[0].rstrip("+") <= "v1.5.0"


def _publish_thrice(marts: str, published: str) -> None:
    for _ in range(3):
        publish(Path(marts), Path(published), note={}, keep=20)


def test_publications_at_the_same_time_get_different_versions(places: tuple[Path, Path]) -> None:
    marts, published = places
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_publish_thrice, args=(str(marts), str(published))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert versions(published) == [1, 2, 3, 4, 5, 6]
    notes = [
        json.loads((published / f"v{number:06d}" / "snapshot.json").read_text())["version"] for number in range(1, 7)
    ]
    assert notes == [1, 2, 3, 4, 5, 6]
