"""`crossdock doctor`: what is wrong with a home, and the way out."""

from pathlib import Path

from orchestration.cli.errors import BadInput
from orchestration.cli.output import out, print_json
from orchestration.doctor import examine
from orchestration.mending import mend
from orchestration.settings import Settings

NEEDS_A_PERSON, HEALS = 1, 3


def run(deep: bool, as_json: bool, home: Path | None = None, mending: bool = False) -> int:
    """0 sound, 1 something needs a person, 3 whatever was found the next pass goes past by itself. With `mending` what
    is safe is mended first, and the rest is judged."""
    settings = Settings.from_env(home=home)
    if not settings.home.is_dir():
        raise BadInput(f"there is no home at {settings.home}; --home or CROSSDOCK_HOME names it")
    done = mend(settings) if mending else []
    found = examine(settings, deep=deep)
    if as_json:
        print_json(
            {"mended": done, "found": [one.__dict__ for one in found]} if mending else [f.__dict__ for f in found]
        )
    for line in done if not as_json else ():
        out().print(line, highlight=False, soft_wrap=True)
    for one in found if not as_json else ():
        out().print(one.line, style="yellow" if one.heals else "red", highlight=False, soft_wrap=True)
    if not found and not as_json:
        out().print(f"{settings.home} is sound")
    return 0 if not found else HEALS if all(one.heals for one in found) else NEEDS_A_PERSON
