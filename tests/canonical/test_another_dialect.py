"""A system that calls things otherwise is taught as docs/connecting.md says, and stands beside the others."""

import re
import shutil
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def test_what_the_docs_say_about_another_dialect_works(scratch, raw_insert, tmp_path) -> None:
    (lesson,) = re.findall(
        r"```sql\n(   union all by name\n.*?)```", (REPO / "docs" / "connecting.md").read_text(), re.S
    )
    scratch.project = tmp_path / "dbt_project"
    shutil.copytree(REPO / "dbt_project", scratch.project, ignore=shutil.ignore_patterns("target", "logs"))
    shutil.copytree(REPO / "contracts", tmp_path / "contracts")
    staging = scratch.project / "models" / "staging"
    with (staging / "erp" / "stg_erp__sales_customers.sql").open("a") as model:
        model.write(lesson)
    sources = (staging / "sources.yml").read_text()
    (staging / "sources.yml").write_text(
        sources.replace("      - name: sales_customers\n", "      - name: sales_customers\n      - name: ar_cust\n")
    )
    old = [
        {"system": system, "zone": "America/Denver", "legal_entity": entity, "streams": ["ar_cust"]}
        for system, entity in (("old", "2"), ("older", "3"))
    ]
    scratch.systems = {"erp": [*old, {"system": "erp", "streams": ["sales_customers"]}]}
    with scratch.raw("old", "older") as con:
        con.execute(
            "create table raw_old.ar_cust (CUST_NO bigint, CUST_NM varchar, ON_HOLD boolean, LAST_CHG timestamp, "
            "_batch_id bigint, _commit_ts timestamp)"
        )
        con.execute("create table raw_older.ar_cust as from raw_old.ar_cust")
        raw_insert(con, "raw_old.ar_cust", [{"CUST_NO": 7, "CUST_NM": "Grubb & Sons", "ON_HOLD": False}])
        raw_insert(con, "raw_older.ar_cust", [{"CUST_NO": 7, "CUST_NM": "Hobbs", "ON_HOLD": True}])
        raw_insert(con, "raw_erp.sales_customers", [{"customer_id": 7, "customer_name": "Tailspin"}])
    scratch.dbt("run", "--select", "+can_party")
    assert scratch.query(
        "select source_system, system_rank, source_zone from staging.stg_erp__sales_customers order by 2"
    ) == [
        ("old", 1, "America/Denver"),
        ("older", 2, "America/Denver"),
        ("erp", 3, None),
    ]
    assert scratch.query("select party_key, party_name from can_party where party_role = 'customer' order by 1") == [
        ("1|erp|customer:7", "Tailspin"),
        ("2|old|customer:7", "Grubb & Sons"),
        ("3|older|customer:7", "Hobbs"),
    ]
