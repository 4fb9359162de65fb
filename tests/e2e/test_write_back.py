"""A correction goes through the ERP's own API, returns through change-data-capture and is known as our own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.box import Box, sandbox
from tests.e2e.demo import crossdock

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with sandbox(tmp_path_factory.mktemp("box"), "--world", "simulated", "--days", "8") as box:
        crossdock("run", home=box.home)
        yield box


def said(box: Box, *arguments: str, check: bool = True):
    return json.loads(crossdock(*arguments, "--json", home=box.home, check=check))


def dearer(box: Box, item: str) -> str:
    row, _ = box.erp_api("GET", f"/v1/items/{item}")
    return f"{float(row['unit_price']) + 0.11:.2f}"


def test_a_correction_takes_effect_once_and_is_verified_by_its_return(box: Box) -> None:
    price = dearer(box, "142")
    said(box, "correct", "item", "142", f"unit_price={price}", "--reason", "price list 7")
    plan = said(box, "plan")
    assert plan["changes"][0]["fields"]["unit_price"]["desired"] == price
    said(box, "approve", plan["hash"])
    assert said(box, "apply", plan["hash"])[0]["state"] == "acked"
    assert box.erp_api("GET", "/v1/items/142")[0]["unit_price"] in (price, float(price))
    crossdock("run", "--system", "erp", home=box.home)
    written = next(row for row in said(box, "writes") if row["key"] == "142")
    assert written["state"] == "verified" and len(written["attempts"]) == 1
    assert said(box, "plan")["changes"] == []


@pytest.mark.verify
def test_a_write_over_a_newer_version_is_refused_and_planned_again(box: Box) -> None:
    price = dearer(box, "143")
    said(box, "correct", "item", "143", f"unit_price={price}", "--reason", "price list 7")
    plan = said(box, "plan")
    said(box, "approve", plan["hash"])
    _, version = box.erp_api("GET", "/v1/items/143")
    box.erp_api(
        "PATCH", "/v1/items/143", {"lead_time_days": 33}, **{"If-Match": version, "Content-Type": "application/json"}
    )
    assert said(box, "apply", plan["hash"], check=False)[0]["state"] == "stale"
    crossdock("run", "--system", "erp", home=box.home)
    again = said(box, "plan")
    assert again["hash"] != plan["hash"]
    said(box, "approve", again["hash"])
    assert said(box, "apply", again["hash"])[0]["state"] == "acked"


@pytest.mark.parametrize(
    "arguments",
    [
        ("correct", "item", "142", "colour=red"),
        ("correct", "pallet", "1", "x=1"),
        ("correct", "item", "999999", "unit_price=1"),
    ],
)
def test_what_cannot_be_corrected_ends_with_status_2_and_is_not_recorded(box: Box, tmp_path: Path, arguments) -> None:
    with pytest.raises(AssertionError, match="ended with 2"):
        crossdock(*arguments, "--reason", "r", home=box.home)
