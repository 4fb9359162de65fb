"""On a ledger that was altered nothing is decided and nothing sent, and the commands that read still read."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import delete, insert, select, update

from connectors.control import open_control
from connectors.control.keeping import ANCHOR, KEY, NoKey
from connectors.control.store import utc_now
from connectors.control.tables import approval, attempt, correction, intent, plan, transition
from connectors.writeback.canonical import digest
from connectors.writeback.chain import append, check_chain
from connectors.writeback.errors import Refused
from orchestration import writes
from orchestration.control import deciding_on
from orchestration.settings import Settings


def newest(connection) -> int:
    return connection.execute(select(transition.c.id).order_by(transition.c.id.desc()).limit(1)).scalar()


def cut_a_row_out(connection):
    middle = connection.execute(select(transition.c.id).order_by(transition.c.id)).scalars().all()[1]
    connection.execute(delete(transition).where(transition.c.id == middle))


def approve_by_hand(connection):
    row = connection.execute(select(plan)).mappings().one()
    connection.execute(delete(approval))
    connection.execute(insert(approval).values(hash=row["hash"], actor="the boss", approved_utc=utc_now()))


def rewrite_all_without_the_key(connection):
    """What somebody does who knows how a chain works: an actor, and every hash after it made anew."""
    last = ""
    for row in connection.execute(select(transition).order_by(transition.c.id)).mappings().all():
        said = {name: row[name] for name in ("subject", "before", "after", "detail")} | {"actor": "somebody else"}
        hashed = digest(said | {"at": row["at_utc"].isoformat(), "previous": last})
        new = {"actor": "somebody else", "previous_hash": last, "hash": hashed, "body": None}
        connection.execute(update(transition).where(transition.c.id == row["id"]).values(new))
        last = hashed


ALTERED = {
    "an actor": (lambda c: c.execute(update(transition).where(transition.c.id == 1).values(actor="x")), "entry 1"),
    "an entry cut out": (cut_a_row_out, "entry 3"),
    "the end cut off": (lambda c: c.execute(delete(transition).where(transition.c.id == newest(c))), "was seen"),
    "all of it cut off": (lambda c: c.execute(delete(transition)), "the ledger ends with 0"),
    "every hash made anew": (rewrite_all_without_the_key, "entry 1"),
    "an approval": (approve_by_hand, "plan "),
    "an expiry": (lambda c: c.execute(update(plan).values(expires_utc=utc_now())), "plan "),
    "a plan's state": (lambda c: c.execute(update(plan).values(state="planned")), "plan "),
    "who wished": (lambda c: c.execute(update(correction).values(actor="x")), "correction 1 is not"),
    "a wish": (lambda c: c.execute(update(correction).values(desired="99.00")), "correction 1 is not"),
    "a correction gone": (lambda c: c.execute(delete(correction)), "correction 1 is gone"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_what_was_altered_is_named_and_nothing_is_sent(control, erp, settings, system, approved, what):
    alter, words = ALTERED[what]
    with control.transaction() as connection:
        alter(connection)
    with pytest.raises(Refused, match="ledger was altered") as refused:
        writes.apply(settings, system, approved)
    assert words in str(refused.value) and erp.requests == 0


def test_every_command_that_decides_stops_and_the_others_read(control, landed, erp, settings, system, approved):
    with control.transaction() as connection:
        connection.execute(update(transition).where(transition.c.id == 1).values(actor="somebody else"))
    for command in (
        lambda: writes.correct(settings, system, "item", "142", {"unit_price": "21.60"}, "again"),
        lambda: writes.plan(settings, system),
        lambda: writes.approve(settings, approved),
        lambda: writes.push_approved(settings, system),
    ):
        with pytest.raises(Refused, match="ledger was altered: entry 1"):
            command()
    assert erp.requests == 0 and len(writes.writes(settings)) == 1


@pytest.mark.parametrize("change", [{"fields": '{"unit_price":"99.00"}'}, {"precondition": "8"}, {"state": "approved"}])
def test_a_write_that_was_changed_or_set_back_by_hand_is_not_sent(control, erp, settings, system, approved, change):
    erp.behave = ["throttle"] * 5
    writes.apply(settings, system, approved)
    sent = erp.requests
    with control.transaction() as connection:
        connection.execute(update(intent).values(change))
    with pytest.raises(Refused, match="intent 1 is not what entry"):
        writes.apply(settings, system, approved)
    with control.transaction() as connection:
        connection.execute(delete(attempt))
        connection.execute(delete(intent))  # or it would be made, and sent, once more
    with pytest.raises(Refused, match="intent 1 is gone"):
        writes.apply(settings, system, approved)
    assert erp.requests == sent


def test_a_whole_ledger_stops_nothing(control, landed, erp, settings, system, approved):
    assert writes.push_approved(settings, system) == {"plans": 1, "acked": 1}
    landed.see()
    assert [row["state"] for row in writes.verify(settings, system)] == ["verified"]
    assert check_chain(control) is None


def test_a_refused_plan_holds_up_no_other(control, erp, settings, system, approved, monkeypatch):
    monkeypatch.setattr(writes, "waiting", lambda *_: ["0123456789", approved])
    assert writes.push_approved(settings, system) == {"plans": 2, "refused": 1, "acked": 1}


def test_an_anchor_left_behind_by_a_kill_is_no_alarm_and_is_brought_up(control, tmp_path, settings, system, approved):
    with control.transaction() as connection:
        last = newest(connection)
    anchor = tmp_path / "control.anchor"
    before = anchor.read_text()
    with control.transaction() as connection:  # two more entries; the anchor write of the last is what a kill prevents
        connection.execute(update(correction).values(state="superseded"))
        append(connection, "correction 1", "open", "superseded", "a")
    anchor.write_text(before)
    assert check_chain(control) is None
    writes.plan(settings, system)
    assert json.loads(anchor.read_text())["entry"] > last


def test_an_older_copy_put_back_is_noticed_and_accepted_with_a_reason(
    control, landed, erp, settings, system, approved, tmp_path
):
    with closing(sqlite3.connect(tmp_path / "control.sqlite")) as live:
        with closing(sqlite3.connect(tmp_path / "older")) as copy:
            live.backup(copy)
    assert writes.apply(settings, system, approved)[0]["state"] == "acked"
    control.close()
    for end in ("-wal", "-shm"):
        (tmp_path / f"control.sqlite{end}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "older", tmp_path / "control.sqlite")
    with pytest.raises(Refused, match=r"older copy was put back; `crossdock writes accept"):
        writes.apply(settings, system, approved)
    with pytest.raises(Refused, match="reason"):
        writes.accept(settings, " ")
    assert writes.accept(settings, "the disk was lost")["approvals_taken_back"] == 1
    with pytest.raises(Refused, match="newer plan"):
        writes.apply(settings, system, approved)
    assert erp.applied == ["21.50"] and writes.plan(settings, system)["changes"]
    with pytest.raises(Refused, match="nothing to accept"):
        writes.accept(settings, "again")


def test_what_was_accepted_cannot_be_altered_afterwards(control, settings, system, approved):
    with control.transaction() as connection:
        connection.execute(update(transition).where(transition.c.id == 1).values(actor="somebody else"))
    writes.accept(settings, "we know who it was")
    assert check_chain(control) is None
    with control.transaction() as connection:
        connection.execute(update(transition).where(transition.c.id == 1).values(actor="nobody"))
    assert "before 4 are not what was sealed" in (check_chain(control) or "")


def test_the_second_place_notices_what_the_home_cannot(control, tmp_path, approved):
    second = tmp_path / "elsewhere"
    settings = Settings(home=tmp_path, systems=tmp_path, environment={ANCHOR: str(second)})
    with deciding_on(settings):
        assert json.loads(second.read_text())["entry"] == 3
    for name in ("control.sqlite", "control.sqlite-wal", "control.sqlite-shm", "control.key", "control.anchor"):
        (tmp_path / name).unlink(missing_ok=True)
    control.close()
    with pytest.raises(Exception, match=r"control store, is missing|no key"):
        with deciding_on(settings):
            pass
    second.parent.joinpath("landing").rename(tmp_path / "gone")  # as if nothing had ever been here
    with pytest.raises(NoKey):
        with deciding_on(settings):
            pass


def test_the_key_of_the_environment_is_the_key_and_an_older_ledger_goes_over_to_it_by_a_person(
    control, settings, system, approved, tmp_path
):
    keyed = Settings(home=tmp_path, systems=tmp_path, environment={KEY: "k" * 32})
    with pytest.raises(Refused, match="the key is another one"):
        writes.plan(keyed, system)
    writes.accept(keyed, "the key is in the vault now")
    assert writes.plan(keyed, system)["state"] in {"planned", "superseded"}
    with pytest.raises(Refused, match="the key is another one"):
        writes.plan(settings, system)
    with pytest.raises(Exception, match="shorter than 32"):
        writes.plan(Settings(home=tmp_path, systems=tmp_path, environment={KEY: "short"}), system)


def test_a_ledger_from_before_keys_is_sealed_once_and_goes_on(
    control, landed, erp, settings, system, approved, tmp_path
):
    with control.transaction() as connection:
        rewrite_all_without_the_key(connection)
        connection.exec_driver_sql("alter table transition drop column body")
    control.close()
    for name in ("control.key", "control.anchor"):
        (tmp_path / name).unlink()
    assert len(writes.writes(settings)) == 1  # a reader takes it as it is
    assert writes.apply(settings, system, approved)[0]["state"] == "acked"
    again = open_control(tmp_path / "control.sqlite")
    assert check_chain(again) is None and (tmp_path / "control.key").stat().st_mode & 0o777 == 0o600
    with again.transaction() as connection:
        connection.execute(update(transition).where(transition.c.id == 1).values(actor="nobody"))
    assert "sealed" in (check_chain(again) or "")
    again.close()


@pytest.mark.parametrize("gone", ["control.key", "control.anchor"])
def test_a_key_or_an_anchor_that_is_gone_stops_with_the_way_out(
    control, erp, settings, system, approved, tmp_path, gone
):
    (tmp_path / gone).unlink()
    with pytest.raises(Exception, match="writes accept"):
        writes.apply(settings, system, approved)
    assert erp.requests == 0
    writes.accept(settings, "lost in a move")
    assert writes.plan(settings, system)["changes"]


@pytest.mark.parametrize("left", [b"", b"short", b"\xff\xfe"])
def test_a_key_file_that_was_cut_short_is_made_anew_by_accept(control, settings, system, approved, tmp_path, left):
    (tmp_path / "control.key").write_bytes(left)
    with pytest.raises(NoKey, match="is missing or short"):
        writes.plan(settings, system)
    writes.accept(settings, "the key file was cut")
    assert writes.plan(settings, system)["changes"] and check_chain(control) is None
    assert (tmp_path / "control.key").stat().st_mode & 0o777 == 0o600
