"""How a connection is protected: TLS that verifies the other side, or what a system file says in so many words.

Loopback needs none. To any other host plain text, and TLS that does not verify whom it talks to, need `insecure: true`.
"""

import ipaddress
import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr, model_validator

from connectors.config_part import Part

UNSET = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
VERIFYING = ("verify-full", "verify-ca")


def _base_url(url: str) -> str:
    if not re.fullmatch(r"https?://[^/\s@?#]+(/[^\s@?#]*)?", url):
        raise ValueError("is not a base address; allowed: http:// or https:// and a host, without user or password")
    return url.rstrip("/")


def _file(path: str) -> str:
    """A variable that is not set yet stays as it is written, for callers that only want names."""
    if UNSET.search(path):
        return path
    found = Path(path).expanduser()
    if not found.is_absolute() or not found.is_file():
        raise ValueError("is no file here; allowed: the absolute path of a PEM file")
    return str(found)


BaseUrl = Annotated[str, AfterValidator(_base_url)]
PemFile = Annotated[str, AfterValidator(_file)]


class Tls(Part):
    """`ca_file` holds the authorities that may vouch for the other side, in place of the machine's own; `cert_file`
    and `key_file` prove who we are. `insecure` means plain text or no verification is meant."""

    insecure: bool = False
    ca_file: PemFile | None = None
    cert_file: PemFile | None = None
    key_file: PemFile | None = None

    @model_validator(mode="after")
    def _whole_pair(self) -> "Tls":
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("needs `cert_file` and `key_file` together")
        return self


class HttpTls(Tls):
    """The same of an HTTP API."""

    base_url: BaseUrl

    @model_validator(mode="after")
    def _encrypted(self) -> "HttpTls":
        parts = urlsplit(self.base_url)
        if parts.scheme == "https":
            return self
        if not is_loopback(parts.hostname or "") and not self.insecure:
            raise ValueError(
                "goes over a network in plain text; allowed: https://, or `insecure: true` where that is meant"
            )
        if self.ca_file or self.cert_file:
            raise ValueError("`ca_file`, `cert_file` and `key_file` are for https://")
        return self

    def verification(self) -> ssl.SSLContext | bool:
        """What an HTTP client verifies with. Raises OSError (ssl.SSLError among them) for a file that is no PEM."""
        if self.ca_file is None and self.cert_file is None:
            return True
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context


def is_loopback(host: str) -> bool:
    """Whether a host name or address, or the folder of a Unix socket, stays on this machine."""
    if host == "localhost" or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def protected_dsn(dsn: SecretStr, tls: Tls, env: Mapping[str, str] = os.environ) -> SecretStr:
    """A libpq connection string with what protects it written out: verify-full wherever it leaves this machine.

    Raises ValueError for one that libpq cannot read, or that would not verify the server without `insecure`.
    """
    from psycopg import Error
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    if UNSET.fullmatch(dsn.get_secret_value()):
        return dsn
    try:
        given: dict[str, Any] = conninfo_to_dict(dsn.get_secret_value())
    except Error:
        raise ValueError(
            "dsn is no connection string of libpq; allowed: host=... dbname=..., or postgresql://..."
        ) from None
    files = {"sslrootcert": tls.ca_file, "sslcert": tls.cert_file, "sslkey": tls.key_file}
    if twice := [name for name, file in files.items() if file and name in given]:
        raise ValueError(f"dsn says {', '.join(twice)} too; allowed: one of the two")
    given |= {name: file for name, file in files.items() if file}
    return SecretStr(make_conninfo("", **_protected(given, tls.insecure, env)))


def protected_url(url: str, env: Mapping[str, str] = os.environ) -> Any:
    """A SQLAlchemy URL of ours, protected by the same rule when it is one of Postgres; the environment says `insecure`
    as CROSSDOCK_CONTROL_INSECURE=true. Raises ValueError."""
    from sqlalchemy import make_url

    made = make_url(url)
    if made.get_backend_name() != "postgresql":
        return made
    query = {name: text if isinstance(text, str) else ",".join(text) for name, text in made.query.items()}
    given = _protected({"host": made.host, **query}, env.get("CROSSDOCK_CONTROL_INSECURE") == "true", env)
    return made.update_query_dict({name: text for name, text in given.items() if name.startswith("ssl")})


def _protected(given: dict[str, Any], insecure: bool, env: Mapping[str, str]) -> dict[str, Any]:
    """libpq's parameters with those that verify the server. Raises ValueError where they would not."""
    if _stays_here(given, env) or insecure:
        return given
    mode = given.setdefault("sslmode", "verify-full")
    if mode not in VERIFYING:
        raise ValueError(
            "has an sslmode that does not verify the server; allowed: verify-full (the default), verify-ca, or to say "
            "that insecure is meant (`insecure: true`)"
        )
    if "sslrootcert" not in given and not _has_own_authorities(env):
        if mode == "verify-ca":
            raise ValueError("verify-ca needs `ca_file`: anybody can have a certificate of a public authority")
        given["sslrootcert"] = ssl.get_default_verify_paths().cafile or "system"
    return given


def _stays_here(given: Mapping[str, Any], env: Mapping[str, str]) -> bool:
    """Every host and address of a connection string is this machine. What libpq adds from the environment counts; a
    service file may name any host."""
    if given.get("service") or env.get("PGSERVICE"):
        return False
    hosts = str(given.get("host") or env.get("PGHOST") or "")
    addresses = str(given.get("hostaddr") or env.get("PGHOSTADDR") or "")
    named = [host for text in (hosts, addresses) for host in text.split(",") if host]
    return all(is_loopback(host) or UNSET.search(host) for host in named)


def _has_own_authorities(env: Mapping[str, str]) -> bool:
    """Whether libpq finds a root.crt of its own accord."""
    return bool(env.get("PGSSLROOTCERT")) or Path("~/.postgresql/root.crt").expanduser().is_file()
