"""Files of real senders, good and bad: none crashes the reader, and every known envelope fault is noticed."""

import csv
import os
from pathlib import Path

import pytest

from connectors.config_kinds import SftpStream
from connectors.edi.envelope import interchanges
from connectors.files.formats import parse

ROOT = Path(__file__).resolve().parents[3] / "shared"
STREAM = SftpStream(name="x", pattern="*/*", format="x12_945", accept_test=True)


def folder() -> Path:
    roots = [Path(os.environ["CROSSDOCK_DATA"]).parent, ROOT] if os.environ.get("CROSSDOCK_DATA") else [ROOT]
    return next((root / "samples" / "edi" for root in roots if (root / "samples" / "edi").is_dir()), Path("absent"))


def samples() -> list[dict[str, str]]:
    manifest = folder() / "manifest.csv"
    if not manifest.exists():
        pytest.skip("needs the sample EDI files beside the checkout (shared/samples/edi)")
    with manifest.open() as lines:
        return list(csv.DictReader(lines))


def test_no_sample_crashes_and_every_piece_lands_or_is_kept():
    for row in samples():
        data = (folder() / row["file"]).read_bytes()
        found = parse(STREAM, row["file"], data)
        letters = [*found.dead, *(letter for envelope in found.envelopes for letter in envelope.dead)]
        # none of them is a 945, so each must end as a dead letter with its own bytes
        assert letters and not any(envelope.rows for envelope in found.envelopes), row["file"]
        assert all(letter.raw in data for letter in letters), row["file"]


def test_the_envelope_faults_noted_in_the_manifest_are_found():
    checked = 0
    for row in samples():
        if not row["file"].startswith("x12/"):
            continue
        text = (folder() / row["file"]).read_bytes().removeprefix(b"\xef\xbb\xbf").decode("latin-1")
        faults = " ".join(fault.reason for found in interchanges(text) for fault in found.faults)
        if (
            "SE01" in row["envelope_issues"]
            and "<>" not in row["envelope_issues"]
            and "ISA" not in row["envelope_issues"]
        ):
            assert "SE01" in faults, (row["file"], faults)
            checked += 1
        for token in ("IEA02", "GE02"):
            if f"{token}<>" in row["envelope_issues"]:
                assert faults, row["file"]
                checked += 1
        if not row["envelope_issues"]:
            assert not [f for found in interchanges(text) for f in found.faults if f.level == "interchange"], row[
                "file"
            ]
    assert checked > 5
