"""`crossdock check`: is everything declared well? Every fault with file, line, key and allowed values."""

from typing import Any

from orchestration.cli import systems as connected
from orchestration.cli.output import out, print_json
from orchestration.settings import Settings


def problems(settings: Settings, *, connect: bool) -> tuple[list[str], list[str]]:
    """(what is well, what is not)."""
    well: list[str] = []
    bad: list[str] = []
    systems: list[Any] = []
    try:
        systems = connected.load(settings)
        well += [f"{system.system}: streams {len(system.streams)}, by {system.read.kind}" for system in systems]
        well += [
            f"{system.system}: {name} goes without TLS that verifies the other side (insecure: true)"
            for system in systems
            for name, part in (("read", system.read), ("write", system.write))
            if getattr(part, "insecure", False)
        ]
        if not systems:
            bad.append(connected.why_none(settings))
    except Exception as error:
        bad += str(error).splitlines()
    try:
        from kpi_models.catalog import load_catalog

        well.append(f"catalogue: {len(load_catalog())} KPIs")
    except Exception as error:
        bad.append(f"catalogue: {error}")
    try:
        well.append(f"business now: {settings.now():%Y-%m-%dT%H:%M:%SZ} ({settings.business_now})")
    except Exception as error:
        bad.append(str(error))
    if connect:
        from connectors.sync import check_reachable, examined

        for system in systems:
            why = check_reachable(system)
            (bad if why else well).append(f"{system.system}: {why or 'answers'}")
            bad += [] if why else [f"{system.system}: {line}" for line in examined(system)]
    return well, bad


def run(connect: bool, as_json: bool) -> int:
    """0 when all is well, else 2: what is wrong is the input."""
    well, bad = problems(Settings.from_env(), connect=connect)
    if as_json:
        print_json({"ok": not bad, "well": well, "problems": bad})
    else:
        for line in well:
            out().print(f"ok    {line}", highlight=False)
        for line in bad:
            out().print(f"wrong {line}", style="red", highlight=False, markup=False)
    return 2 if bad else 0
