"""Reading the folder of system files: one YAML per connected system, secrets from the environment only.

Every fault of every file is reported at once, with file, line, key and what is allowed; a value is never repeated,
because it may be a secret.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.config_file import Problem, SystemFile
from connectors.config_model import System
from connectors.model import PermanentError

__all__ = ["ConfigError", "Problem", "System", "load_systems"]


class ConfigError(PermanentError):
    """System files that cannot be used; `problems` lists every fault found. Permanent: a person must edit a file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


def load_systems(folder: str | Path, env: Mapping[str, str] | None = None, *, require_env: bool = True) -> list[System]:
    """Every `*.yaml` and `*.yml` of a folder, sorted by system name; an empty folder is an empty list.

    `${NAME}` in a value is replaced from `env` (default: the process environment) and `$${` stands for itself. With
    `require_env=False` a missing variable is left as it stands, for callers that only want names and streams.
    Raises ConfigError with all problems of all files.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ConfigError([Problem(str(folder), 1, "", "is not a folder; allowed: a folder of system files")])
    variables = os.environ if env is None else env
    problems: list[Problem] = []
    systems: dict[str, tuple[System, SystemFile]] = {}
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml") and p.is_file()):
        reading = SystemFile(path, variables, require_env)
        system = reading.system()
        problems += reading.problems
        if system is None:
            continue
        if system.system in systems:
            reading.report(
                ("system",), f"{system.system!r} is declared already, in {systems[system.system][1].path.name}"
            )
            problems += reading.problems[-1:]
            continue
        systems[system.system] = (system, reading)
    problems += [] if problems else _quoting_no_erp(systems)
    if problems:
        raise ConfigError(problems)
    return [systems[name][0] for name in sorted(systems)]


def _quoting_no_erp(systems: Mapping[str, tuple[System, SystemFile]]) -> list[Problem]:
    """A fault for each system whose `defaults.erp` names no connected ERP."""
    erps = sorted(name for name, (system, _) in systems.items() if system.role == "erp")
    wrong = [(s.defaults.erp, file) for s, file in systems.values() if s.defaults.erp not in (None, *erps)]
    for quoted, file in wrong:
        allowed = ", ".join(erps) or "none is connected"
        file.report(("defaults", "erp"), f"{quoted!r} is no connected ERP; allowed: {allowed}")
    return [file.problems[-1] for _, file in wrong]
