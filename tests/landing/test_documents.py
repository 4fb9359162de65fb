"""Document streams: a re-read is not a change, order is kept, a delete deletes."""

from pathlib import Path

import pytest

from connectors.landing import Landing
from connectors.model import DeadLetter


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "oms.duckdb", "oms")


def log(landing: Landing) -> list[tuple]:
    with landing.session() as db:
        return db.execute("select _op, doc_key, doc from raw_oms.orders__log order by _commit_pos, _ordinal").fetchall()


def state(landing: Landing) -> dict[str, str]:
    with landing.session() as db:
        return dict(db.execute("select doc_key, doc from raw_oms.orders").fetchall())


def test_a_document_read_again_is_not_a_change(landing: Landing) -> None:
    first = landing.land_documents("orders", [("a", "1", "t1"), ("b", "1", None)], {"at": 1})
    again = landing.land_documents("orders", [("a", "1", "t2"), ("b", "2", None)], {"at": 2})
    assert (first.rows, again.rows) == (2, 1)
    assert log(landing) == [("i", "a", "1"), ("i", "b", "1"), ("u", "b", "2")]
    assert state(landing) == {"a": "1", "b": "2"}


def test_a_key_that_changes_several_times_in_a_batch_keeps_every_step_in_order(landing: Landing) -> None:
    landing.land_documents("orders", [("a", "1", None)], {})
    rows = [
        ("a", "1", None),
        ("a", "2", None),
        ("a", "2", None),
        ("a", None, None),
        ("a", "3", None),
        ("z", None, None),
    ]
    landing.land_documents("orders", rows, {})
    assert log(landing) == [("i", "a", "1"), ("u", "a", "2"), ("d", "a", None), ("i", "a", "3")]
    assert state(landing) == {"a": "3"}
    assert landing.check_state("orders").ok


def test_the_cursor_moves_with_rows_and_without(landing: Landing) -> None:
    assert landing.cursor("orders") is None
    landing.land_documents("orders", [("a", "1", None)], {"at": 1})
    for at in (2, 3, 4):
        record = landing.land_documents("orders", [("a", "1", None)], {"at": at})
    assert landing.cursor("orders") == {"at": 4}
    assert record.batch_id == 2, "idle batches must not pile up"


def test_a_dead_letter_seen_again_is_one_letter_with_two_attempts(landing: Landing) -> None:
    letter = DeadLetter("orders", "no number", b"\xff{}", position="p7")
    landing.land_documents("orders", [], {}, [letter])
    record = landing.land_documents("orders", [("a", "1", None)], {}, [letter])
    assert record.dead == 1 and record.dead_letters[0]["id"] == letter.id
    with landing.session() as db:
        assert db.execute("select raw, attempts, state from _land.dead_letter").fetchall() == [(b"\xff{}", 2, "open")]


def test_on_commit_hears_of_every_commit_after_the_file_is_closed(tmp_path: Path) -> None:
    heard = []

    def on_commit(record: object) -> None:
        with Landing(tmp_path / "oms.duckdb", "oms", lock_timeout_s=1).session() as db:
            heard.append((record, db.execute("select max(batch_id) from _land.batch").fetchone()))

    landing = Landing(tmp_path / "oms.duckdb", "oms", on_commit=on_commit)
    record = landing.land_documents("orders", [("a", "1", None)], {})
    assert heard == [(record, (record.batch_id,))]
