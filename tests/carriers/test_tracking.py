"""The neutral tracking document keeps every scan, code and time as the carrier sent it."""

import json

import pytest

from connectors.carriers import tracking_document
from connectors.documents import DocumentError, document_row

TRACKER = {
    "tracking_number": "1Z999",
    "carrier": "UPS",
    "service": "GND",
    "reference": "EWR-1",
    "status": "delivered",
    "updated_at": "2024-03-03T20:00:00Z",
    "events": [
        {
            "id": "e1",
            "code": "AR",
            "description": "Arrival",
            "at": "2024-03-02T23:05:00-05:00",
            "place": {"city": "Newark"},
        },
        {"id": "e2", "code": "XX9", "description": None, "at": "2024-03-03"},
    ],
}


def neutral(tracker: object) -> dict:
    return json.loads(tracking_document(json.dumps(tracker).encode()))


def test_offsets_bare_dates_and_unknown_codes_stay_as_sent():
    found = neutral(TRACKER)
    assert found["document"] == "tracking"
    assert [(event["code"], event["at"]) for event in found["events"]] == [
        ("AR", "2024-03-02T23:05:00-05:00"),
        ("XX9", "2024-03-03"),
    ]
    assert found["events"][0]["city"] == "Newark" and found["events"][0]["postal_code"] is None
    assert set(found) == {
        "document",
        "carrier",
        "tracking_number",
        "service",
        "reference",
        "status",
        "updated_at",
        "events",
    }


def test_a_tracker_without_events_is_a_document():
    assert neutral({"carrier": "LTL", "tracking_number": 7})["events"] == []
    assert neutral({"carrier": "LTL", "tracking_number": 7})["tracking_number"] == "7"


def test_the_key_is_the_carrier_and_its_number():
    row = document_row("tracking", json.dumps(TRACKER).encode(), ("carrier", "tracking_number"), "updated_at")
    assert row[0] == "UPS|1Z999" and row[2] == "2024-03-03T20:00:00Z"


@pytest.mark.parametrize(
    "fault",
    [
        {"carrier": None},
        {"tracking_number": ""},
        {"events": {"id": 1}},
        {"events": ["DL"]},
        {"events": [{"at": ["2024"]}]},
        {"events": [{"place": "Newark"}]},
        {"status": True},
    ],
)
def test_a_tracker_that_is_not_one_is_refused(fault):
    with pytest.raises(DocumentError):
        neutral(TRACKER | fault)
