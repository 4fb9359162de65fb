"""The one test of a contract finds each of the faults that it is about, and nothing in a sound table."""

import pytest
from tiny_project import Project

YAML = """
version: 2
models:
  - name: stg_child
    data_tests:
      - contract_holds:
          arguments:
            key: [child_key]
            parents: [{column: parent_key, key: thing_key}]
            models: ["ref('can_thing')"]
            lists: {kind: [stock, drop_ship]}
            filled: [name]
"""


@pytest.mark.parametrize(
    ("fault", "rows"),
    [
        (None, "(1, 1, 'stock', 'a'), (2, null, null, 'b')"),
        ("a key that comes twice", "(1, 1, 'stock', 'a'), (1, 1, 'stock', 'a')"),
        ("a reference to nothing", "(1, 9, 'stock', 'a')"),
        ("a value outside its list", "(1, 1, 'kit', 'a')"),
        ("an empty column of a view", "(1, 1, 'stock', null)"),
    ],
)
def test_each_fault_fails_the_test_of_the_contract(project: Project, fault: str | None, rows: str) -> None:
    models = project.folder / "models"
    (models / "stg_child.sql").write_text(f"select * from (values {rows}) as t (child_key, parent_key, kind, name)")
    (models / "stg_child.yml").write_text(YAML)
    failed = project.build((1, 10))
    assert [name for name in failed if not name.startswith("contract_holds")] == []
    assert bool(failed) == (fault is not None)
