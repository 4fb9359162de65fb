"""Who acts: the operating system's account behind the process, never an argument or a variable that it could set."""

import os


def current_actor() -> str:
    """The account's name, or its number where it has none. `sudo` keeps the account that logged in, when known."""
    uid = os.getuid()
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
