"""Where everything is, read once from the environment.

Only `CROSSDOCK_*` variables are settings; secrets stay in the environment and are looked up by the connectors.
Importing this
module does no I/O and imports no Dagster, so that `kpi`, `trace` and `status` start quickly.
"""

import json
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).resolve().parent.parent
DBT_PROJECT = REPOSITORY / "dbt_project"
DOCS = (REPOSITORY / "docs").as_uri()
EXECUTORS = ("in_process", "multiprocess")


class SettingsError(Exception):
    """A setting that cannot be used as it is; the message says which and what is allowed. Permanent."""


@dataclass(frozen=True)
class Settings:
    """One process's view of a Crossdock home. `environment` holds the variables that system YAMLs may refer to."""

    home: Path
    systems: Path
    business_now: str = "wall"
    automation: bool = False
    executor: str = "in_process"
    keep_versions: int = 5
    lock_wait_s: float = 900.0
    poll_s: int = 15
    clock_leap_days: int = 45
    history_days: int = 14
    history_mb: int = 1000
    docs: str = DOCS
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, home: Path | None = None) -> "Settings":
        """Settings of this environment; a sandbox that is alive under the home lends its addresses to what is not set.

        Raises SettingsError for a value that is not allowed: unknown never falls back to a default.
        """
        env = dict(os.environ if environ is None else environ)
        folder = (home or Path(env.get("CROSSDOCK_HOME") or "~/.crossdock")).expanduser().absolute()
        env = {**sandbox_environment(folder), **env, "CROSSDOCK_HOME": str(folder)}
        default_systems = REPOSITORY / "orchestration" / "systems"
        return cls(
            home=folder,
            systems=Path(env.get("CROSSDOCK_SYSTEMS") or default_systems).expanduser().absolute(),
            business_now=env.get("CROSSDOCK_BUSINESS_NOW") or "wall",
            automation=_one_of(env, "CROSSDOCK_AUTOMATION", {"": False, "off": False, "on": True}),
            executor=_one_of(env, "CROSSDOCK_EXECUTOR", {"": "in_process", **{name: name for name in EXECUTORS}}),
            keep_versions=_whole(env, "CROSSDOCK_KEEP_VERSIONS", 5),
            lock_wait_s=_whole(env, "CROSSDOCK_LOCK_WAIT", 900),
            poll_s=_whole(env, "CROSSDOCK_POLL", 15),
            clock_leap_days=_whole(env, "CROSSDOCK_CLOCK_LEAP", 45),
            history_days=_whole(env, "CROSSDOCK_HISTORY_DAYS", 14),
            history_mb=_whole(env, "CROSSDOCK_HISTORY_MB", 1000),
            docs=env.get("CROSSDOCK_DOCS") or DOCS,
            environment=env,
        )

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def control(self) -> str:
        return self.environment.get("CROSSDOCK_CONTROL") or str(self.home / "control.sqlite")

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.duckdb"

    @property
    def marts(self) -> Path:
        return self.home / "marts" / "crossdock.duckdb"

    @property
    def published(self) -> Path:
        return self.home / "published"

    @property
    def snapshot(self) -> Path:
        return self.published / "current" / "crossdock.duckdb"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def dbt_target(self) -> Path:
        return self.home / "dbt" / "target"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def has_fixed_now(self) -> bool:
        """Whether business now is an instant that somebody set, not a clock."""
        return self.business_now != "wall" and not self.business_now.startswith("http")

    def now(self) -> datetime:
        """Business now, aware UTC, to be read once per pass. See `read_business_now`."""
        return read_business_now(self.business_now)

    def exported(self) -> dict[str, str]:
        """The environment a child process needs to see the same home and the same sources."""
        return {
            **self.environment,
            "CROSSDOCK_HOME": str(self.home),
            "CROSSDOCK_SYSTEMS": str(self.systems),
            "CROSSDOCK_BUSINESS_NOW": self.business_now,
            "DAGSTER_HOME": str(self.dagster_home),
        }


def read_business_now(spec: str) -> datetime:
    """`wall`, an ISO instant in UTC (`2016-06-02T07:00:00Z`), or a URL that answers {"now": "<ISO instant>"}."""
    if spec == "wall":
        return datetime.now(UTC).replace(microsecond=0)
    if spec.startswith(("http://", "https://")):
        from connectors.config_transport import is_loopback

        if spec.startswith("http://") and not is_loopback(urlsplit(spec).hostname or ""):
            raise SettingsError("CROSSDOCK_BUSINESS_NOW goes over a network in plain text; allowed: https://, loopback")
        try:
            with urllib.request.urlopen(spec, timeout=10) as answer:  # noqa: S310 - the scheme was checked above
                spec = json.load(answer)["now"]
        except (OSError, ValueError, KeyError) as error:
            raise SettingsError(f"CROSSDOCK_BUSINESS_NOW: {spec} did not answer with a time: {error}") from error
    try:
        instant = datetime.fromisoformat(spec)
    except ValueError:
        raise SettingsError(
            f"CROSSDOCK_BUSINESS_NOW is {spec!r}; allowed: wall, an ISO instant in UTC, a URL"
        ) from None
    if instant.tzinfo is None:
        raise SettingsError(f"CROSSDOCK_BUSINESS_NOW {spec!r} has no zone; write it in UTC with Z")
    return instant.astimezone(UTC)


def sandbox_environment(home: Path) -> dict[str, str]:
    """What a running sandbox under this home offers: addresses, its throw-away secrets, its system folder; else
    nothing."""
    try:
        offer = json.loads((home / "sandbox" / "env.json").read_text())
        os.kill(int(offer["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return {}
    return {**offer["env"], "CROSSDOCK_SYSTEMS": offer["systems"]}


def _one_of(env: Mapping[str, str], name: str, allowed: Mapping[str, Any]) -> Any:
    value = env.get(name, "")
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}; allowed: {', '.join(key for key in allowed if key)}")
    return allowed[value]


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name) or str(default)
    if not value.isdigit() or int(value) < 1:
        raise SettingsError(f"{name} is {value!r}; allowed: a whole number from 1")
    return int(value)
