"""An SFTP session: a pinned host key, a password, and ciphers that cost little."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh

from connectors.config_kinds import SftpRead
from connectors.model import PermanentError, TransientError, Unreachable

# AES-GCM costs a third of the others where the processor has AES; the rest are for servers without it
CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes256-ctr",
    "chacha20-poly1305@openssh.com",
)


class _Pinned(asyncssh.SSHClient):
    """Trusts one host key, given as an OpenSSH public key line or as its SHA256 fingerprint."""

    def __init__(self, host_key: str) -> None:
        self._pinned = host_key.strip()

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        if self._pinned.startswith("SHA256:"):
            return hmac.compare_digest(self._pinned.encode(), key.get_fingerprint("sha256").encode())
        sent = key.export_public_key().decode().split()[:2]
        return hmac.compare_digest(" ".join(self._pinned.split()[:2]).encode(), " ".join(sent).encode())


@asynccontextmanager
async def connected(read: SftpRead) -> AsyncIterator[asyncssh.SFTPClient]:
    """A session on the server. Raises PermanentError for a wrong host key or password, TransientError for the rest."""
    try:
        connection = await asyncio.wait_for(_connect(read), read.timeout.total_seconds())
    except asyncssh.HostKeyNotVerifiable as error:
        raise PermanentError(
            f"The host key of {read.host} is not the pinned one; nothing was sent.",
            "If the server was rebuilt, ask its owner for the new key and change host_key.",
        ) from error
    except asyncssh.PermissionDenied as error:
        raise PermanentError(f"{read.host} refuses {read.username}.", "Check username and password.") from error
    except asyncssh.KeyExchangeFailed as error:
        raise PermanentError(f"{read.host} offers no key or cipher that both sides accept.") from error
    except (OSError, asyncssh.Error, TimeoutError) as error:
        raise Unreachable(
            f"{read.host}:{read.port} cannot be reached ({type(error).__name__}).", "Run again."
        ) from error
    async with connection:
        try:
            async with await asyncio.wait_for(_session(connection), read.timeout.total_seconds()) as sftp:
                yield sftp
        except (TimeoutError, asyncssh.ConnectionLost, asyncssh.ChannelOpenError, OSError) as error:
            raise TransientError(f"{read.host} ended the session ({type(error).__name__}).", "Run again.") from error


async def _connect(read: SftpRead) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        read.host,
        read.port,
        username=read.username,
        password=read.password.get_secret_value(),
        client_factory=lambda: _Pinned(read.host_key),
        known_hosts=([], [], []),  # no known_hosts file: the pinned key alone decides
        config=None,
        client_keys=None,
        agent_path=None,
        preferred_auth="password",
        encryption_algs=list(CIPHERS),
        compression_algs=None,
        keepalive_interval=15,
    )


async def _session(connection: asyncssh.SSHClientConnection) -> asyncssh.SFTPClient:
    return await connection.start_sftp_client()
