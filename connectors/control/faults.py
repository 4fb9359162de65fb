"""What the database says when it cannot be used, in words for whoever has to mend it."""

import shutil
from pathlib import Path

from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from connectors.model import ConnectorError, PermanentError, TransientError

WAY_OUT = (
    "The way back is your last backup: `crossdock restore BACKUP --home NEW`. Without one, move the file away if it is "
    "there; `crossdock writes accept --reason TEXT` then begins an empty ledger, and says so in it."
)
ALTERED = (
    "the ledger was altered: {broken}. Nothing was recorded or sent; `crossdock writes` shows what it says. Find out "
    "who; the way back is a backup (`crossdock restore BACKUP --home NEW`)"
)
LEAST_FREE = 64 * 1024
FULL = "The disk is full: {where} cannot be written; nothing of this step was recorded."
FREE_SOME = "Free some space and repeat it; nothing else is needed."


def told(error: DBAPIError, where: str) -> Exception:
    """The error as one of two classes with the way out; an error that is the program's own is returned as it is."""
    if isinstance(error, IntegrityError | ProgrammingError):
        return error
    name = str(getattr(error.orig, "sqlite_errorname", ""))
    text = (str(error.orig).strip() or type(error.orig).__name__).splitlines()[0]
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return damaged(where, text)
    if name.startswith("SQLITE_FULL") or (name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and is_full(where)):
        return TransientError(FULL.format(where=where), FREE_SOME)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return TransientError(
            f"{where} stays locked by another process; nothing of this step was recorded.",
            f"Wait, or end that process (`fuser {where}` names it), and repeat it.",
        )
    if name.startswith("SQLITE_READONLY"):
        return PermanentError(f"{where} cannot be written here: {text}.", "Run this under the account that owns it.")
    return TransientError(f"The control store {where} cannot be used: {text}.", "Mend that and repeat it.")


def damaged(where: str, text: str) -> ConnectorError:
    return PermanentError(f"{where} is damaged ({text}); nothing was recorded or sent.", WAY_OUT)


def missing(where: str) -> ConnectorError:
    """A home that was used had a control store: a new one in silence would forget every approval and every write."""
    return PermanentError(
        f"{where}, the control store, is missing or empty, though this home was used; nothing was recorded or sent.",
        WAY_OUT,
    )


def is_full(where: str) -> bool:
    """Whether the file system of a file has no room left; False for what is no file."""
    try:
        return shutil.disk_usage(Path(where).parent).free < LEAST_FREE
    except OSError:
        return False
