"""What a source sends, or a system file holds, is shown in Dagster as it is: no markup, no HTML, nothing hidden."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from markdown_it import MarkdownIt
from world import World, system

from orchestration.assets.landing import run_tags
from orchestration.definitions import build_defs
from orchestration.escaping import HIDDEN, metadata, quoted, visible
from orchestration.jobs import PASS
from orchestration.settings import Settings

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "[a run](http://attacker.example)",
    "![](http://attacker.example/seen)",
    "http://attacker.example",
    "` **bold** `` ``` `",
    "`",
    "a\n\n# heading\n\n<script>x</script>",
    "- item\n| a | b |\n|---|---|",
    "1\u202e00.91 \x1b[2J \u200b",
    "\ud800",
    "",
    " ",
    "&lt;b&gt; \\` \\",
]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def spans(markdown: str) -> tuple[list[str], set[str]]:
    """The code spans of a description, and what else its inline content is made of."""
    blocks = MarkdownIt("commonmark").parse(markdown)
    assert not [block for block in blocks if block.type not in {"paragraph_open", "inline", "paragraph_close"}]
    inline = [child for block in blocks for child in block.children or []]
    return [child.content for child in inline if child.type == "code_inline"], {child.type for child in inline}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_quoted_value_is_one_code_span_that_shows_it(text: str) -> None:
    found, kinds = spans(f"Every change of {quoted(text)} in it.")
    assert kinds == {"text", "code_inline"} and len(found) == 1
    assert found[0].strip() == (visible(text).replace("\n", "\\n") if text.strip() else f'"{text}"').strip()


def hostile(text: str) -> Any:
    made = system()
    stream = SimpleNamespace(name="sales_orders", key=(text,), contract="evolve", table=text)
    made.title, made.owner, made.streams = text, text, (stream,)
    made.write = SimpleNamespace(entities=("item",), guarantee="A")
    return made


@pytest.mark.parametrize("text", HOSTILE)
def test_descriptions_of_assets_and_sensors_hold_no_markup_of_a_system_file(world: World, text: str) -> None:
    defs = build_defs(world.settings, systems=[hostile(text)], tools=world.tools(), dbt=world.dbt())
    told = [spec for spec in defs.resolve_all_asset_specs() if spec.key.path[0] in ("source", "landing", "writeback")]
    assert len(told) == 3
    described = [spec.description for spec in told]
    described += [sensor.description for sensor in defs.sensors or [] if "ahead" in (sensor.description or "")]  # type: ignore[union-attr]
    assert len(described) == 4
    for description in described:
        assert spans(description or "")[1] <= {"text", "code_inline"}
    for spec in told:
        assert not HIDDEN.search("".join(str(value) for value in spec.metadata.values()))


def test_a_problem_of_a_system_file_is_listed_as_text(tmp_path: Path, world: World) -> None:
    folder = tmp_path / "systems"
    folder.mkdir()
    (folder / "a<img src=x>\u202e.yaml").write_text("system: erp\nrole: erp\n<script>: 1\n")
    (spec,) = build_defs(Settings(home=tmp_path, systems=folder), dbt=world.dbt()).resolve_all_asset_specs()
    rendered = MarkdownIt("commonmark").render(spec.description or "")
    assert "<img" not in rendered and "<script" not in rendered and "\u202e" not in rendered
    assert "&lt;script&gt;" in rendered


def test_what_a_pass_says_of_a_source_is_visible(world: World, instance: dg.DagsterInstance) -> None:
    steering = "\x1b[2J\u202e<b>"
    letters = [{"stream": "sales_orders", "reason": f"field {steering}"}]
    world.position = f"1{steering}"
    tools = replace(world.tools(), dead_letters=lambda _name: letters)
    defs = build_defs(world.settings, systems=[system()], tools=tools, dbt=world.dbt())
    result = defs.resolve_job_def(PASS).execute_in_process(
        instance=instance, raise_on_error=False, run_config=QUIET, tags=run_tags("erp", world.position)
    )
    assert result.success
    (evaluation,) = [one for one in result.get_asset_check_evaluations() if one.check_name == "nothing_dead"]
    landed = next(one for one in result.get_asset_materialization_events() if "landing" in one.asset_key.path)  # type: ignore[union-attr]
    told = [*evaluation.metadata.values(), *landed.materialization.metadata.values()]
    texts = [str(value.value) for value in told]
    texts += [entry.user_message for entry in instance.all_logs(result.run_id)]
    texts += instance.get_run_records()[0].dagster_run.tags.values()
    assert sum("\\u001b[2J\\u202e<b>" in text for text in texts) >= 4  # reason, position, log, tag
    assert not [text for text in texts if HIDDEN.search(text)]


def test_a_failure_says_the_words_of_a_source_visibly(world: World, instance: dg.DagsterInstance) -> None:
    class PermanentError(Exception):
        pass

    world.landing_fails = PermanentError("refused \x1b[2J\u202e")
    defs = build_defs(world.settings, systems=[system()], tools=world.tools(), dbt=world.dbt())
    result = defs.resolve_job_def(PASS).execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)
    failure = result.failure_data_for_node("land_erp")
    assert failure is not None and failure.user_failure_data is not None
    assert failure.user_failure_data.description == "erp: refused \\u001b[2J\\u202e"


def test_cells_of_a_table_are_visible() -> None:
    table = dg.MetadataValue.table([dg.TableRecord({"dimension_value": "\u202eRWE", "rows": 2})])
    shown = metadata({"first disagreements": table, "agreed": 3})
    assert shown["agreed"] == 3
    assert shown["first disagreements"].records[0].data == {"dimension_value": "\\u202eRWE", "rows": 2}
