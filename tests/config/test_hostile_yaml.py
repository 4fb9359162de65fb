"""A system file that would never end, or fill the memory, is a problem with its file and line."""

from pathlib import Path

import pytest

from connectors.config import ConfigError, load_systems

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
MERGED = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{b: *a{n - 1}, c: *a{n - 1}}}\n" for n in range(1, 40))
HOSTILE = {
    "an alias bomb": (BOMB, 5, "stands for more than 50,000 values"),
    "mappings that double": (MERGED, None, "stands for more than 50,000 values"),
    "a list that holds itself": ("system: oms\nread: &r [1, *r]\n", 2, "holds itself: *r stands inside &r"),
    "a mapping merged into itself": ("system: oms\nread: &r\n  <<: *r\n", 3, "holds itself: *r stands inside &r"),
    "depth in flow": ("system: " + "[" * 3000 + "]" * 3000, 1, "is nested more than 50 deep"),
    "depth in blocks": ("\n".join("  " * n + "a:" for n in range(300)), 51, "is nested more than 50 deep"),
    "many values": ("system: [" + "1, " * 60_000 + "1]", 1, "stands for more than 50,000 values"),
    "length": ("# " + "x" * (1 << 20) + "\nsystem: oms\n", 1, "is longer than 1 MiB"),
}


def problems(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "oms.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_systems(tmp_path, {})
    return [str(problem) for problem in error.value.problems]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", HOSTILE)
def test_it_is_a_problem_with_its_line(tmp_path: Path, kind: str) -> None:
    text, line, words = HOSTILE[kind]
    (told,) = problems(tmp_path, text)
    assert words in told and told.startswith(f"oms.yaml:{line or ''}")


@pytest.mark.parametrize("duration", ["99999999999999h", "9" * 400 + "d", "367d"])
def test_a_duration_beyond_a_year_is_a_problem_and_no_trace(tmp_path: Path, duration: str) -> None:
    text = f"system: oms\nrole: oms\nread:\n  kind: rest\n  base_url: https://a.b\n  poll: {duration}\nstreams: []\n"
    assert any(told.startswith("oms.yaml:6: read.poll: is longer than 366 days") for told in problems(tmp_path, text))


def test_an_alias_that_saves_writing_is_fine(tmp_path: Path) -> None:
    text = (
        "system: oms\nrole: oms\nread: {kind: rest, base_url: https://a.b}\nstreams:\n"
        "  - {name: a, path: /a, records: r, key: &k [id], document: order}\n"
        "  - {name: b, path: /b, records: r, key: *k, document: order}\n"
    )
    (tmp_path / "oms.yaml").write_text(text)
    (system,) = load_systems(tmp_path, {})
    assert [stream.key for stream in system.streams] == [("id",), ("id",)]
