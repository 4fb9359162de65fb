"""Who acts: the person who logged in, as the kernel keeps it, else the account behind the process.

Never an argument or a variable that the process could set. Linux keeps the login of a session (pam_loginuid sets it);
`sudo` and `su` do not change it, nor may the process. So people who share a service account through `sudo` stay apart,
and one person with two accounts stays one. A service or a container without a login acts as its account.
"""

import os
from pathlib import Path

LOGIN = Path("/proc/self/loginuid")
NONE = 2**32 - 1


def current_actor() -> str:
    """The account's name, or its number where it has none."""
    login = _logged_in()
    uid = os.getuid() if login is None else login
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def _logged_in() -> int | None:
    """The account of the login that this process descends from; None without one, or where the kernel keeps none."""
    try:
        uid = int(LOGIN.read_text())
    except (OSError, ValueError):
        return None
    return None if uid == NONE else uid
