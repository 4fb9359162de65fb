"""Who may read a home: its own account, whatever the umask of the shell. `CROSSDOCK_UMASK=027` lets its group read."""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

DEFAULT = 0o077
ALLOWED = {"": DEFAULT, "077": 0o077, "027": 0o027}


def keep_private(environ: Mapping[str, str] = os.environ) -> None:
    """From here on this process and its children make files for its own account; an existing home is closed too.

    A value of CROSSDOCK_UMASK that is not allowed opens nothing: it is taken for the default.
    """
    os.umask(ALLOWED.get(environ.get("CROSSDOCK_UMASK", ""), DEFAULT))
    close(Path(environ.get("CROSSDOCK_HOME") or "~/.crossdock").expanduser(), environ)


def close(home: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Takes from others the way into an existing home; nothing is opened. Folders that are more than a home, or that
    belong to another account, are left as they are: /, one that everybody shares, a person's own."""
    if not home.is_dir():
        return
    found = home.stat()
    shared = found.st_mode & stat.S_ISVTX or home.resolve() in (Path("/"), Path.home().resolve())
    if shared or found.st_uid != os.geteuid():
        return
    mask = ALLOWED.get(environ.get("CROSSDOCK_UMASK", ""), DEFAULT)
    if found.st_mode & mask:
        with suppress(OSError):  # on a read-only file system; `doctor` names it, and what reads still reads
            home.chmod(stat.S_IMODE(found.st_mode) & ~mask)
