"""How commands print: a table for people or one JSON value for programs, on standard output; progress goes to
standard error."""

import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestration.escaping import visible

IDS = ("kpi_id", "system", "period", "value")


class _Plain(Console):
    """Prints text as it is: no markup, no emoji names, nothing hidden."""

    def render_str(self, text: str, **options: Any) -> Text:  # type: ignore[override]
        return super().render_str(visible(text), **{**options, "markup": False, "emoji": False})


def out() -> Console:
    """Standard output; wide enough for a table where nobody looks at a terminal."""
    return _Plain(width=None if sys.stdout.isatty() else 160)


def err() -> Console:
    """Standard error as it was when asked, on a handle of its own: a step of a pass may have its output captured."""
    return _Plain(file=os.fdopen(os.dup(sys.stderr.fileno()), "w"), force_terminal=sys.stderr.isatty() or None)


def print_json(value: Any) -> None:
    """One JSON value; whole decimals become integers, instants ISO with Z."""
    print(visible(json.dumps(value, default=plain, ensure_ascii=False, indent=1)))


def plain(value: Any) -> Any:
    """A value that JSON does not know, in a form that it does."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)


def instant(value: datetime | None) -> str | None:
    """A naive UTC instant (or an aware one in UTC) as ISO with Z."""
    return None if value is None else value.replace(tzinfo=None).isoformat() + "Z"


def print_table(
    title: str,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str] | None = None,
    right: Collection[str] = (),
) -> None:
    """Rows as a table; numbers and the columns in `right` to the right; a line that says so when there are none."""
    if not rows:
        out().print(f"{title}: none")
        return
    names = list(columns or rows[0])
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for name in names:
        numeric = name in right or all(isinstance(row.get(name), int | float | Decimal | type(None)) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=name in IDS)
    for row in rows:
        table.add_row(*(shown(row.get(name)) for name in names))
    out().print(table)


def shown(value: Any) -> str:
    """A cell of a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | Decimal):
        return f"{value:,.4f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, str) and value.startswith("{"):
        value = _json_object(value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={part}" for key, part in value.items())
    return instant(value) or "" if isinstance(value, datetime) else str(value)


def _json_object(text: str) -> object:
    """A position that is several positions, per stream; other text as it is."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return {key: str(part)[:24] for key, part in found.items()} if isinstance(found, dict) else text
