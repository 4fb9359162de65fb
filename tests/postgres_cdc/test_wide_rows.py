"""Rows of any width land or are dead letters, and never hold up what stands behind them."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.landing import room
from connectors.model import TransientError
from connectors.postgres import catch_up, stream, table_copy, wide

ROOT = Path(__file__).parents[2]
HERE = "select id, md5(body) from raw_erp.docs order by id"
THERE = "select id, md5(body) from s.docs where id <> 2 order by id"


@pytest.fixture
def low(monkeypatch):
    """A limit of 200 kB, so that a record over it is quickly made."""
    for module in (stream, wide, table_copy):
        monkeypatch.setattr(module, "LIMIT_BYTES", 200_000)
    monkeypatch.setattr(wide, "HASHED_BYTES", 100_000)


def three(source):
    source.run("insert into s.docs select i, repeat(chr(96 + i), case i when 2 then 300000 else 1000 end) "
               "from generate_series(1, 3) i")  # fmt: skip


def letters(source):
    return source.here("select key, reason, raw from _land.dead_letter")


@pytest.mark.parametrize("way", ["snapshot", "peek", "receive"])
def test_a_row_over_the_limit_is_a_dead_letter_with_key_size_hash_and_head_and_its_neighbours_land(source, low, way):
    source.run("create table s.docs (id int primary key, body text)")
    limits = catch_up.Limits(wal_bytes=0) if way == "receive" else catch_up.Limits()
    if way != "snapshot":
        source.sync("docs")
    three(source)
    source.sync("docs", limits=limits)
    assert source.here(HERE) == source.there(THERE)
    ((key, reason, raw),) = letters(source)
    kept = json.loads(raw)
    assert key == "2" and "more than" in reason and "bbb" in kept["head"]
    assert kept["bytes"] == pytest.approx(300_000, abs=100) and len(kept["sha256"]) == 64
    if way == "snapshot":
        assert kept["sha256"] == hashlib.sha256(b"b" * 300_000).hexdigest()
    source.run("insert into s.docs values (9, 'behind it')")
    source.sync("docs", limits=limits)
    assert source.here(HERE) == source.there(THERE)


def test_an_update_over_the_limit_leaves_the_row_as_it_landed_and_a_smaller_one_lands_again(source, low):
    source.run("create table s.docs (id int primary key, body text); insert into s.docs values (1, 'small')")
    source.sync("docs")
    source.run("update s.docs set body = repeat('x', 300000)")
    assert source.sync("docs").dead == 1
    assert source.here("select body from raw_erp.docs") == [("small",)]
    source.run("update s.docs set body = 'again'")
    source.sync("docs")
    assert source.here("select body from raw_erp.docs") == [("again",)]


def test_a_batch_ends_by_bytes_at_a_transactions_end(source):
    source.run("create table s.docs (id int primary key, body text)")
    source.sync("docs")
    for first in (1, 11, 21):
        source.run(f"insert into s.docs select i, repeat('x', 10000) from generate_series({first}, {first + 9}) i")
    counts = source.sync("docs", limits=catch_up.Limits(batch_bytes=100_000))
    assert (counts.batches, counts.rows) == (3, 30)


@pytest.mark.parametrize("then", ["", "truncate s.docs"])
def test_rows_for_which_the_least_memory_is_not_enough_land_with_more(source, then, monkeypatch):
    monkeypatch.setattr(room, "ROOMS_MB", (16, 768))
    source.run("create table s.docs (id int primary key, body text)")
    source.sync("docs")
    source.run("insert into s.docs select i, repeat(chr(97 + i % 26), 100000) from generate_series(1, 400) i")
    source.run(then)
    room.with_room(source.landing, lambda: source.sync("docs"))
    assert source.landing.settings["memory_limit"] == "768MB"
    assert source.here(HERE) == source.there(THERE.replace(" where id <> 2", ""))
    assert room.noted(source.landing.path) == 768  # and gets it from the start the next time


def test_rows_for_which_the_most_memory_is_not_enough_end_with_a_reason_and_a_way_out(source, monkeypatch):
    monkeypatch.setattr(room, "ROOMS_MB", (16,))
    source.run("create table s.docs (id int primary key, body text)")
    source.sync("docs")
    source.run("insert into s.docs select i, repeat(chr(97 + i % 26), 100000) from generate_series(1, 400) i")
    with pytest.raises(TransientError, match="16 MB were not enough"):
        room.with_room(source.landing, lambda: source.sync("docs"))


@pytest.mark.verify
@pytest.mark.parametrize(
    "case",
    ["6000 x 50 KB", "1000 x 100 KB in 2 MB transactions", "100 x 3 MB", "one of 60 MB", "one of 100 MB",
     "6000 x 50 KB, then a truncate", "6000 x 50 KB, then an update of all"],
)  # fmt: skip
def test_every_stated_case_equals_its_source_within_the_stated_memory(case):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.size", case],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == 2, done.stderr
    for one in told:
        assert one["equal"] and "error" not in one and one["peak_mb"] < 2_000, one
        assert one["dead"] == (1 if case == "one of 100 MB" else 0)
