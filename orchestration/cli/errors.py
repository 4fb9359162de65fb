"""What a failed command says and with which status it ends."""

BAD_INPUT = 2
FAILED = 1
# by name, so that telling an error apart does not import what raises it
INPUT_ERRORS = frozenset({"BadInput", "ConfigError", "SettingsError", "Refused", "NoTarget", "CatalogError"})


class BadInput(Exception):
    """The user asked for something that cannot be; the message says what is allowed. Exit status 2."""


class Failed(Exception):
    """The command could not do its work; the message says what to do next. Exit status 1."""


def explained(error: BaseException) -> tuple[str, int]:
    """The message for people, a few lines without a trace, and the exit status."""
    names = {kind.__name__ for kind in type(error).__mro__}
    status = BAD_INPUT if names & INPUT_ERRORS else FAILED
    text = str(error).strip() or type(error).__name__
    known = status == BAD_INPUT or type(error).__module__.startswith(("orchestration", "connectors", "kpi_models"))
    message = text if known else f"{type(error).__name__}: {text.splitlines()[0]} (--debug shows where)"
    return message, status
