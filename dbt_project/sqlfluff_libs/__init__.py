"""What dbt gives a template and sqlfluff does not, so that lint reads the SQL that the project's own variables make.

sqlfluff imports this folder (`library_path` in pyproject.toml) and puts its names into the template; nothing else does.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import yaml

PROJECT = Path(__file__).resolve().parent.parent
VARS: dict[str, Any] = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]

execute = True
target = SimpleNamespace(name="duckdb", database="warehouse", schema="canonical")


def var(name: str) -> Any:
    """A variable of dbt_project.yml. Raises KeyError for another name."""
    return VARS[name]


def env_var(name: str, default: str | None = None) -> str:
    """The default of an environment variable, else its name: lint depends on no environment."""
    return name if default is None else default


class Adapter:
    """DuckDB's adapter, as far as macros ask it. Every stream has landed."""

    config = SimpleNamespace(project_root="dbt_project")

    @staticmethod
    def quote(name: str) -> str:
        return f'"{name}"'

    @staticmethod
    def get_relation(database: str, schema: str, identifier: str) -> str:
        return f"{database}.{schema}.{identifier}"

    @staticmethod
    @jinja2.pass_context
    def dispatch(context: jinja2.runtime.Context, name: str) -> Any:
        """The macro of this engine, else the default one. Raises KeyError when there is neither."""
        return context.get(f"duckdb__{name}") or context[f"default__{name}"]


adapter = Adapter()
