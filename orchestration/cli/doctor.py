"""`crossdock doctor`: what is wrong with a home, and the way out."""

from orchestration.cli.errors import BadInput
from orchestration.cli.output import out, print_json
from orchestration.doctor import examine
from orchestration.settings import Settings

NEEDS_A_PERSON, HEALS = 1, 3


def run(deep: bool, as_json: bool) -> int:
    """0 sound, 1 something needs a person, 3 whatever was found the next pass goes past by itself."""
    settings = Settings.from_env()
    if not settings.home.is_dir():
        raise BadInput(f"there is no home at {settings.home}; CROSSDOCK_HOME names it")
    found = examine(settings, deep=deep)
    if as_json:
        print_json([one.__dict__ for one in found])
    for one in found if not as_json else ():
        out().print(one.line, style="yellow" if one.heals else "red", highlight=False, soft_wrap=True)
    if not found and not as_json:
        out().print(f"{settings.home} is sound")
    return 0 if not found else HEALS if all(one.heals for one in found) else NEEDS_A_PERSON
