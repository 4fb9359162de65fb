"""A large value that an update left as it was is not sent again: the dead letter that alone holds it stays open."""

import pytest

from .conftest import Source

OPEN = "select key from _land.dead_letter where state = 'open'"


@pytest.fixture
def docs(source: Source) -> Source:
    source.run(
        "create table s.docs (id int primary key, big text, at timestamptz, n int); "
        "alter table s.docs alter big set storage external; "
        "insert into s.docs values (1, repeat('A', 9000), '2024-01-01', 1)"
    )
    source.sync("docs")
    return source


@pytest.mark.parametrize(
    "dead",
    [
        "update s.docs set big = repeat('B', 9000), at = 'infinity'",
        "delete from s.docs; insert into s.docs values (1, repeat('B', 9000), 'infinity', 1)",
    ],
)
@pytest.mark.parametrize(
    "later", ["update s.docs set at = '2024-01-02'", "update s.docs set at = '2024-01-02', id = 2"]
)
@pytest.mark.parametrize("in_one_pass", [True, False])
def test_a_letter_that_alone_holds_a_value_is_open_until_the_value_comes_again(
    docs: Source, dead: str, later: str, in_one_pass: bool
) -> None:
    docs.run(dead)
    if not in_one_pass:
        docs.sync("docs")
    docs.run(later)
    docs.sync("docs")
    assert docs.here(OPEN) == [("1",)]
    assert docs.here("select 1 from raw_erp.docs where big like 'B%'") == []
    docs.sync("docs", snapshot_of=("docs",))
    assert docs.here(OPEN) == []
    docs.assert_equal("docs", "id", "big", "n")


@pytest.mark.parametrize("later", ["set big = repeat('C', 9000), at = '2024-01-02'", "set big = null, at = null"])
def test_it_ends_when_the_row_comes_whole(docs: Source, later: str) -> None:
    docs.run("update s.docs set big = repeat('B', 9000), at = 'infinity'; update s.docs set at = '2024-01-01'")
    docs.sync("docs")
    docs.run(f"update s.docs {later}")
    docs.sync("docs")
    assert docs.here(OPEN) == []
    docs.assert_equal("docs", "id", "big", "n")


def test_a_letter_that_holds_no_such_value_ends_with_the_next_change(docs: Source) -> None:
    docs.run("update s.docs set at = 'infinity'")
    docs.sync("docs")
    assert docs.here(OPEN) == [("1",)]
    docs.run("update s.docs set at = '2024-01-02'")
    docs.sync("docs")
    assert docs.here(OPEN) == []
    docs.assert_equal("docs", "id", "big", "n")
