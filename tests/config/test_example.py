"""The example that the product ships is valid, in each of its three parts."""

import re
from pathlib import Path

from connectors.config import load_systems

FOLDER = Path(__file__).resolve().parents[2] / "orchestration" / "systems"


def test_each_part_of_the_example_is_a_valid_system_file(tmp_path):
    text = (FOLDER / "system.yaml.example").read_text()
    for part in re.split(r"(?m)^# --- ", text)[1:]:
        name, _, body = part.partition("\n")
        lines = [re.sub(r"^# ?", "", line) for line in body.splitlines()]
        (tmp_path / name.split()[0]).write_text("\n".join(lines))
    systems = load_systems(tmp_path, {}, require_env=False)
    assert [(s.system, s.read.kind, len(s.streams)) for s in systems] == [
        ("erp", "postgres", 1),
        ("oms", "rest", 1),
        ("wms", "sftp", 3),
    ]


def test_the_folder_itself_loads():
    assert isinstance(load_systems(FOLDER, {}, require_env=False), list)
