"""That a stream stands still is recorded with the batch that goes past what it misses, whatever is killed after it."""

from collections.abc import Callable

import pytest

from connectors.model import TransientError
from connectors.postgres import snapshot

from .conftest import Source, Spec

KEYLESS = Spec("keyless", "s.keyless", ("a",))


class Killed(BaseException):
    pass


def killed_at(phase: str, source: Source, sync: Callable[[], object]) -> None:
    def die(name: str) -> None:
        if name == phase:
            raise Killed

    source.landing.on_phase = die
    with pytest.raises(Killed):
        sync()
    source.landing.on_phase = None


@pytest.fixture
def keyless(two: Source) -> Source:
    """One more landed stream, whose key has proved to be none since."""
    two.run("create table s.keyless (a int, b int); alter table s.keyless replica identity full")
    two.run("insert into s.keyless values (1, 1)")
    two.sync("items", "other", KEYLESS)
    two.run("insert into s.keyless values (1, 5)")
    return two


@pytest.mark.parametrize("contract", ["evolve", "freeze"])
def test_columns_that_came_back_are_read_again_though_the_reading_failed_at_first(
    two: Source, contract: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.run("alter table s.items add column extra int default 1")
    two.run("insert into s.items values (6, 'under other columns', null, 1)")
    two.run("alter table s.items drop column extra")
    items = Spec("items", "s.items", contract=contract)
    with monkeypatch.context() as patch, pytest.raises(TransientError):
        patch.setattr(snapshot, "take_beside", no_slot)
        two.sync(items, "other")
    assert two.sync(items, "other").stopped == {}
    two.assert_equal("items", "id", "name", "made")


def no_slot(*_args: object) -> None:
    raise TransientError("all replication slots are in use")


@pytest.mark.parametrize("phase", ["committed", "acknowledged"])
def test_a_frozen_stream_whose_columns_came_back_after_a_kill_is_read_again(two: Source, phase: str) -> None:
    frozen = Spec("items", "s.items", contract="freeze")
    two.run("alter table s.items add column extra int default 1")
    two.run("insert into s.items values (6, 'under other columns', null, 1)")
    killed_at(phase, two, lambda: two.sync(frozen, "other"))
    two.run("alter table s.items drop column extra")
    assert two.sync(frozen, "other").stopped == {}
    two.assert_equal("items", "id", "name", "made")


def test_a_table_that_could_not_be_followed_for_a_while_is_read_again_after_a_kill(two: Source) -> None:
    two.run("alter table s.items replica identity nothing")
    two.run("insert into s.items values (6, 'while it had no identity', null)")
    killed_at("acknowledged", two, lambda: two.sync("items", "other"))
    two.run("alter table s.items replica identity default")
    assert two.sync("items", "other").stopped == {}
    two.assert_equal("items", "id", "name", "made")


def test_a_key_that_proved_to_be_none_still_stands_still_after_a_kill(keyless: Source) -> None:
    killed_at("acknowledged", keyless, lambda: keyless.sync("items", "other", KEYLESS))
    assert keyless.sync("items", "other", KEYLESS).stopped.keys() == {"keyless"}


def test_a_stream_that_a_new_snapshot_left_out_is_looked_at_again_after_a_kill(keyless: Source) -> None:
    killed_at("committed", keyless, lambda: keyless.sync("items", "other", KEYLESS, resnapshot=True))
    assert keyless.sync("items", "other", KEYLESS).stopped.keys() == {"keyless"}
    keyless.run("delete from s.keyless where b = 1")
    assert keyless.sync("items", "other", KEYLESS, snapshot_of=("keyless",)).stopped == {}
    keyless.assert_equal("keyless", "a", "b")
