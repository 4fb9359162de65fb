"""`kpi` and `trace` read the published version, from anywhere, quickly, and say what is wrong with what was asked."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from connectors.control import Mirror, open_control
from orchestration.cli import kpi, trace

ROOT = Path(__file__).resolve().parents[2]


def test_kpi_prints_cells_as_documented(crossdock) -> None:  # type: ignore[no-untyped-def]
    assert crossdock.json("kpi") == [
        {
            "kpi_id": "gross_margin_rate",
            "period": "total",
            "dimensions": {},
            "numerator": 12.5,
            "denominator": 50,
            "value": 0.25,
            "value_min": 0.25,
            "value_max": 0.25,
            "agreement": "agreed",
            "as_of": "2016-06-02T07:00:00Z",
            "complete_up_to": {"erp": "2016-06-02T06:59:00Z", "oms": "2016-06-01T05:00:00Z"},
            "behind": {"oms": "the OMS refuses connections"},
        }
    ]
    assert crossdock("kpi").stdout.splitlines()[-1] == (
        "Without what oms said after 2016-06-01T05:00:00Z (the OMS refuses connections); may change: gross_margin_rate"
    )


@pytest.mark.parametrize(
    ("value", "form", "told"),
    [
        (0.94506, "0.0 %", "94.51 %"),
        (552_138.2868, "d hh:mm", "6 d 09:22"),
        (59.0, "d hh:mm", "0 d 00:01"),
        (-300, "d hh:mm", "-0 d 00:05"),
        (2300018.061, "#,##0.00", "2,300,018.06"),
        (114, "#,##0", "114"),
        (None, "0.0 %", ""),
        (0.25, None, "0.25"),
    ],
)
def test_a_value_is_told_in_the_form_that_the_catalogue_names(value, form, told) -> None:  # type: ignore[no-untyped-def]
    assert kpi.figure(value, form) == told


def test_the_table_tells_values_in_that_form(crossdock) -> None:  # type: ignore[no-untyped-def]
    assert "25.00 %" in crossdock("kpi").stdout


def test_kpi_by_period_and_dimension(crossdock) -> None:  # type: ignore[no-untyped-def]
    assert [cell["period"] for cell in crossdock.json("kpi", "--by", "week")] == ["2016-W05"]
    (cell,) = crossdock.json("kpi", "--kpi", "gross_margin_rate", "--by", "month", "--where", "site=LAX")
    assert (cell["dimensions"], cell["numerator"]) == ({"site": "LAX"}, 1.5)
    assert len(crossdock.json("kpi", "--by", "month", "--where", "site")) == 2
    assert crossdock.json("kpi", "--by", "day", "--where", "item_group=Toys") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("kpi", "--by", "decade"), "day, week, month, year, total"),
        (("kpi", "--kpi", "nope"), "gross_margin_rate"),
        (("kpi", "--where", "colour=red"), "site, customer_category, item_group"),
        (("kpi", "--where", "site=NOWHERE"), "EWR, LAX"),
        (("kpi", "--where", "site=EWR", "--where", "site=LAX"), "one dimension"),
        (("trace", "nobody"), "nobody"),
        (("correct", "item", "142", "unit_price", "--reason", "x"), "FIELD=VALUE"),
        (("demo", "--world", "flat"), "simulated, wwi"),
        (("no-such-command",), "no-such-command"),
        (("kpi", "--no-such-option"), "--no-such-option"),
    ],
)
def test_bad_input_ends_with_status_2_and_a_short_word_of_what_is_allowed(crossdock, words, said) -> None:  # type: ignore[no-untyped-def]
    done = crossdock(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) < 12


def test_debug_shows_where(crossdock) -> None:  # type: ignore[no-untyped-def]
    assert "Traceback" in crossdock("kpi", "--by", "decade", "--debug").stderr


def test_every_number_of_an_order_finds_all_its_events_in_order(crossdock) -> None:  # type: ignore[no-untyped-def]
    for number in ("1001", "S-1", "PO-88", "1Z9", "EWR-1"):
        events = crossdock.json("trace", number)
        assert [event["event_type"] for event in events] == ["received", "delivered"]
        assert events[1]["event_time_utc"] == "2024-03-03T19:05:00Z"
        assert events[1]["event_time_raw"] == "2024-03-03T14:05:00-05:00"
        assert events[1]["time_confidence"] == 98


def test_every_number_a_trace_looks_for_stands_in_a_fact_that_knows_the_root_order() -> None:
    facts = [yaml.safe_load(path.read_text()) for path in (ROOT / "dbt_project/models/marts/core").glob("fct_*.yml")]
    columns = [{column["name"] for column in model["columns"]} for fact in facts for model in fact["models"]]
    found = set().union(*(names for names in columns if "root_order_key" in names))
    assert set(trace.NUMBERS) <= found


def test_nothing_published_is_a_failure_that_says_what_to_do(crossdock, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = crossdock("kpi", CROSSDOCK_HOME=str(tmp_path / "empty"))
    assert done.returncode == 1 and "crossdock run" in done.stderr


def test_reading_commands_import_neither_dagster_nor_dbt() -> None:
    code = (
        "import sys, orchestration.cli.app, orchestration.cli.kpi, orchestration.cli.trace, orchestration.cli.status;"
        "print([name for name in ('dagster', 'dbt', 'polars') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_status_shows_what_landed_when_no_source_can_be_asked(crossdock, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    Mirror(open_control(tmp_path / "control.sqlite")).record_run(
        "erp", position="0/1A", complete_up_to_utc=None, stream_rows={"orders": 7}, dead=[]
    )
    (tmp_path / "systems").mkdir()
    home = {"CROSSDOCK_HOME": str(tmp_path), "CROSSDOCK_SYSTEMS": str(tmp_path / "systems")}
    done = crossdock("status", "--json", **home)
    (row,) = json.loads(done.stdout)["systems"]
    assert (row["landed"], row["rows"], row["source"]) == ("0/1A", 7, "not connected here")

    shutil.copytree(ROOT / "sandbox" / "systems_yaml" / "simulated", tmp_path / "systems", dirs_exist_ok=True)
    said = json.loads(crossdock("status", "--json", **home).stdout)
    assert "ERP_DSN" in said["not_asked"]
    assert {one["system"]: one["landed"] for one in said["systems"]}["erp"] == "0/1A"
