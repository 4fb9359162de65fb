"""The verdict of the two KPI programs, kept in the marts beside the cells it is about.

After this every row of `kpi.kpi_cell` says `agreed` or `disagreed`; publication refuses any other state.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

AGREEMENT = "coalesce(compared.agreement, 'not compared')"
AGREEMENT_ON_NOTHING = f"case when compared.agreement = 'agreed' then 'nothing to compare' else {AGREEMENT} end"
KEYS = ("kpi_id", "period_kind", "period", "dimension", "dimension_value")


@dataclass(frozen=True)
class Verdict:
    """What is published would be: how many cells agree, the first few that do not, and whether this build was compared
    at all."""

    agreed: int
    disagreed: int
    examples: list[dict[str, Any]]
    compared: bool = True

    @property
    def ok(self) -> bool:
        """Agreement on nothing is no agreement."""
        return self.compared and self.disagreed == 0 and self.agreed > 0

    @property
    def words(self) -> str:
        """Why it is not published, and what to do next."""
        if not self.disagreed and not self.agreed:
            return "kpi/agreement ran, and neither program computed a cell"
        return f"{self.disagreed} cells disagree, {self.agreed} agree; see kpi/agreement"


def as_of_of(marts: Path) -> datetime:
    """Business now (naive UTC) as the cells were built with it."""
    with duckdb.connect(str(marts), read_only=True) as connection:
        row = connection.execute("select max(as_of_utc) from kpi.kpi_cell").fetchone()
    if row is None or row[0] is None:
        raise LookupError("kpi.kpi_cell is empty: there is nothing to agree on")
    return row[0]  # type: ignore[no-any-return]


def store(marts: Path, verdicts: Any, *, ok: bool) -> None:
    """Writes the verdict per cell: `verdicts` is a frame with the key columns and `agreement`, for cells of either
    program. Without `ok` no cell is agreed: two programs that have nothing to say agree on nothing.

    `kpi.kpi_agreement` holds all of them, `kpi.kpi_cell` gets the column, in one transaction; safe to repeat.
    """
    with duckdb.connect(str(marts)) as connection:
        connection.register("verdicts", verdicts)
        connection.execute("begin")
        connection.execute("create or replace table kpi.kpi_agreement as select * from verdicts")
        connection.execute(f"""
            create or replace table kpi.kpi_cell as
            select cells.*, {AGREEMENT if ok else AGREEMENT_ON_NOTHING} as agreement
            from (select columns(name -> name <> 'agreement') from kpi.kpi_cell) as cells
            left join kpi.kpi_agreement as compared using ({", ".join(KEYS)})
        """)
        connection.execute("commit")
        connection.unregister("verdicts")


def verdict(marts: Path) -> Verdict:
    """What the marts say about themselves; anything but `agreed` counts against, also a cell only the reference
    knows."""
    with duckdb.connect(str(marts), read_only=True) as connection:
        if not connection.execute(
            "select 1 from duckdb_columns()"
            " where schema_name = 'kpi' and table_name = 'kpi_cell' and column_name = 'agreement'"
        ).fetchone():
            return Verdict(0, 0, [], compared=False)  # a build of dbt makes the table without the column
        counted = dict(
            connection.execute("select agreement = 'agreed', count(*) from kpi.kpi_agreement group by 1").fetchall()
        )
        missing = connection.execute("select count(*) from kpi.kpi_cell where agreement <> 'agreed'").fetchone()
        cursor = connection.execute(
            f"select {', '.join(KEYS)}, agreement from kpi.kpi_agreement"
            " where agreement <> 'agreed' order by all limit 20"
        )
        names = [column[0] for column in cursor.description]
        examples = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    disagreed = max(counted.get(False, 0), missing[0] if missing else 0)
    return Verdict(counted.get(True, 0), disagreed, examples)


def headlines(marts: Path) -> dict[str, float]:
    """The company's total of every KPI, for trends."""
    with duckdb.connect(str(marts), read_only=True) as connection:
        rows = connection.execute(
            "select kpi_id, value from kpi.kpi_cell"
            " where period = 'total' and dimension = '' and value is not null order by kpi_id"
        )
        return dict(rows.fetchall())
