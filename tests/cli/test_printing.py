"""What came from outside is shown as it is: it neither steers the terminal nor hides from its reader."""

import json

import pytest

from orchestration.cli.output import out, print_json, print_table
from orchestration.escaping import visible

HOSTILE = ["[/x]", "[conceal]19.00[/conceal]", "[red]", ":warning:", "[link=http://x]a[/link]", "\\[bold]"]
STEERING = {
    "\x1b[2J": "\\u001b[2J",
    "a\rb": "a\\rb",
    "\x9b31m": "\\u009b31m",
    "1\u202e00.91": "1\\u202e00.91",
    "a\u200bb": "a\\u200bb",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_a_value_is_text(capsys: pytest.CaptureFixture[str], text: str) -> None:
    print_table(text, [{text: text, "n": 1}])
    out().print(f"hash {text}")
    assert capsys.readouterr().out.count(text) == 4


@pytest.mark.parametrize("text", STEERING)
def test_a_character_that_steers_or_hides_is_written_out(capsys: pytest.CaptureFixture[str], text: str) -> None:
    print_table("Plan", [{"name": text}])
    out().print(text)
    print_json({"name": text})
    said = capsys.readouterr().out
    assert not any(character in said for character in "\x1b\r\x9b\u202e\u200b")
    assert said.count(STEERING[text]) == 3
    assert json.loads(said[said.index("{") :]) == {"name": text}


def test_what_people_write_stays_as_it_is() -> None:
    text = "Mütter M8 – Öse\n12 °C, 株式会社, שלום"
    assert visible(text) == text
