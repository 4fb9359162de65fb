"""dbt in this process: one parse when something changed, one build per pass, files unlocked at the end.

Measured (docs/architecture.md): a build through dbt's own command costs 3 s before it starts; in a warm process 0.3
s. The parsed
manifest is kept under $CROSSDOCK_HOME with the key of what it was parsed from, and handed to the build, because a
changed variable
(business now differs in every pass) would otherwise parse the whole project again.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestration.imports import imported
from orchestration.locks import held
from orchestration.publication import prepare_marts

SOURCES = ("*.sql", "*.yml", "*.yaml", "*.csv", "*.md", "*.py")
PARSE_AS_OF = datetime(2000, 1, 1)
ROLES = ("erp", "oms", "wms", "carrier")


class DbtError(Exception):
    """dbt could not parse or build for a reason other than a failed test; the message is dbt's own, shortened."""


@dataclass(frozen=True)
class Node:
    """The outcome of one model, seed, snapshot or test. `status` is dbt's: success, pass, warn, fail, error,
    skipped."""

    unique_id: str
    status: str
    seconds: float
    message: str
    failures: int | None

    @property
    def ok(self) -> bool:
        return self.status in ("success", "pass")


@dataclass(frozen=True)
class Build:
    """What one invocation did, in the order in which nodes finished."""

    nodes: Sequence[Node]
    error: str | None = None

    @property
    def failed(self) -> list[Node]:
        return [node for node in self.nodes if node.status in ("fail", "error")]


@dataclass(frozen=True)
class Dbt:
    """One dbt project against one home. `systems` are the connected systems by role, in order of precedence."""

    project: Path
    target: Path
    warehouse: Path
    marts: Path
    systems: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def manifest(self) -> dict[str, Any]:
        """The manifest as JSON, parsed again only when the project or the connected systems changed. Raises
        DbtError."""
        path, key_path, key = self.target / "manifest.json", self.target / "manifest.key", self.fingerprint()
        with held(self.target / ".parse.lock", wait_s=300, doing="parsing the dbt project"):
            if not (path.exists() and key_path.exists() and key_path.read_text() == key):
                result = self._runner().invoke(["parse", *self._arguments(PARSE_AS_OF)])
                if not result.success:
                    raise DbtError(_first_lines(result.exception or "dbt parse failed"))
                key_path.write_text(key)
        return dict(json.loads(path.read_text()))

    def build(
        self,
        as_of: datetime,
        *,
        select: Sequence[str] = (),
        tests: bool = True,
        on_node: Callable[[Node], None] | None = None,
    ) -> Build:
        """Seeds, models and tests in dependency order; what depends on a failed test is skipped, the rest goes on.

        `as_of` is business now (UTC). `select` are unique ids, nothing means everything; without `tests`, models only.
        Both files are unlocked when this returns.
        """
        self.manifest()
        prepare_marts(self.marts)
        nodes: list[Node] = []

        def listen(event: Any) -> None:
            if event.info.name == "NodeFinished":
                node = _node(event)
                nodes.append(node)
                if on_node is not None:
                    on_node(node)

        without = ["--no-write-json", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "exposure"]
        without += [] if tests else ["--exclude-resource-type", "test"]
        chosen = [arg for unique_id in select for arg in ("--select", _selector(unique_id))]
        try:
            result = self._runner(listen, self._parsed()).invoke(["build", *without, *chosen, *self._arguments(as_of)])
        finally:
            _close_connections()
        return Build(nodes, _why(result, nodes))

    def fingerprint(self) -> str:
        """Changes when any file of the project or the set of connected systems does."""
        digest = hashlib.sha256(json.dumps(self.systems, sort_keys=True).encode())
        for path in sorted(p for pattern in SOURCES for p in self.project.rglob(pattern)):
            if "target" not in path.relative_to(self.project).parts:
                digest.update(str(path.relative_to(self.project)).encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def _arguments(self, as_of: datetime) -> list[str]:
        variables = {"systems": self.systems, "as_of": as_of.strftime("%Y-%m-%d %H:%M:%S")}
        return [
            *("--project-dir", str(self.project), "--profiles-dir", str(self.project)),
            *("--target-path", str(self.target), "--log-path", str(self.target.parent / "logs")),
            *("--vars", json.dumps(variables), "--log-level", "none", "--no-use-colors", "--no-print"),
        ]

    def _runner(self, listen: Callable[[Any], None] | None = None, parsed: Any = None) -> Any:
        for folder in (self.target, self.warehouse.parent, self.marts.parent):
            folder.mkdir(parents=True, exist_ok=True)
        os.environ |= {
            "CROSSDOCK_WAREHOUSE": str(self.warehouse),
            "CROSSDOCK_MARTS": str(self.marts),
            "CROSSDOCK_DBT_TARGET": str(self.target),
            "CROSSDOCK_DUCKDB_THREADS": str(max(1, (os.cpu_count() or 1) - 1)),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        }
        imported()
        from dbt.cli.main import dbtRunner

        return dbtRunner(manifest=parsed, callbacks=[] if listen is None else [listen])

    def _parsed(self) -> Any:
        from dbt.contracts.graph.manifest import Manifest
        from dbt.parser.manifest import extended_mashumuro_decoder

        return Manifest.from_msgpack((self.target / "partial_parse.msgpack").read_bytes(), extended_mashumuro_decoder)


def _why(result: Any, nodes: Sequence[Node]) -> str | None:
    """What went wrong besides nodes that failed. dbt hands every exception over, also what ends a process: that goes
    on its way."""
    if result.exception is not None:
        if not isinstance(result.exception, Exception):
            raise result.exception
        return _first_lines(result.exception) or type(result.exception).__name__
    has_failed = any(node.status in ("fail", "error") for node in nodes)
    return None if result.success or has_failed else "dbt did not succeed, and names nothing that failed"


def systems_by_role(systems: Sequence[Any]) -> dict[str, list[dict[str, Any]]]:
    """The `systems` variable of the dbt project, from the system files: who plays which role, with streams, zones,
    legal entity and the ERP whose numbers it quotes."""
    by_role: dict[str, list[dict[str, Any]]] = {role: [] for role in ROLES}
    for system in systems:
        entry: dict[str, Any] = {"system": system.system, "streams": sorted(stream.name for stream in system.streams)}
        entry |= system.defaults.model_dump(exclude_none=True)
        if getattr(system.read, "zones", None):
            entry["zones"] = dict(system.read.zones)
        by_role.setdefault(system.role, []).append(entry)
    return by_role


def _node(event: Any) -> Node:
    result, info = event.data.run_result, event.data.node_info
    failures = getattr(result, "num_failures", None)
    message = _first_lines(getattr(result, "message", "") or "")
    return Node(info.unique_id, info.node_status, float(result.execution_time), message, failures)


def _selector(unique_id: str) -> str:
    """A test or model by its name, which is what dbt's selection language knows."""
    return unique_id.split(".")[2]


def _close_connections() -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


def _first_lines(error: object, limit: int = 4) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return "\n".join(lines[:limit])[:1000]
