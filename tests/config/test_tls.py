"""A connection that leaves this machine verifies the other side, or its system file says that it does not."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr, ValidationError

from connectors.config import ConfigError, load_systems
from connectors.config_kinds import PostgresRead, RestRead
from connectors.config_model import Write
from connectors.config_transport import Tls, protected_dsn, protected_url
from connectors.control import open_control
from connectors.model import PermanentError
from orchestration.settings import SettingsError, read_business_now

UNVERIFIED = ["disable", "allow", "prefer", "require"]
SYSTEM = "system: erp\nrole: erp\nread:\n{}streams:\n  - {{name: items, table: sales.items, key: [id]}}\n"


def postgres(dsn: str, **more: object) -> dict[str, str]:
    """What libpq is told."""
    read = PostgresRead.model_validate({"kind": "postgres", "dsn": dsn, **more})
    return conninfo_to_dict(read.dsn.get_secret_value())  # type: ignore[return-value]


@pytest.mark.parametrize(
    "dsn",
    [
        "host=erp.example.com dbname=erp password=hush",
        "postgresql://me:hush@erp.example.com/erp",
        "host=127.0.0.1,erp.example.com",
        "host=erp.example.com hostaddr=127.0.0.1",
        "host=localhost hostaddr=10.0.0.7",
        "host=127.0.0.1.example.com",
        "host=127.1",
        "service=erp",
        "hostaddr=10.0.0.7",
    ],
)
def test_a_host_elsewhere_is_verified_by_default_and_never_less_in_silence(dsn: str) -> None:
    told = postgres(dsn)
    assert told["sslmode"] == "verify-full" and told["sslrootcert"]
    for mode in UNVERIFIED:
        weaker = f"{dsn}?sslmode={mode}" if "://" in dsn else f"{dsn} sslmode={mode}"
        with pytest.raises(ValidationError) as refused:
            postgres(weaker)
        assert "insecure: true" in str(refused.value) and "hush" not in str(refused.value)
        assert postgres(weaker, insecure=True)["sslmode"] == mode


@pytest.mark.parametrize("dsn", ["host=127.0.0.1", "host=::1", "host=localhost", "host=/run/postgresql", "dbname=erp"])
def test_this_machine_needs_no_tls(dsn: str) -> None:
    assert postgres(dsn) == conninfo_to_dict(dsn)
    assert postgres(f"{dsn} sslmode=disable")["sslmode"] == "disable"


def test_what_the_environment_adds_counts() -> None:
    for env in ({"PGHOST": "erp.example.com"}, {"PGSERVICE": "erp"}, {"PGHOSTADDR": "10.0.0.7"}):
        told = protected_dsn(SecretStr("dbname=erp"), Tls(), env | {"PGSSLMODE": "disable"})
        assert "sslmode=verify-full" in told.get_secret_value()


def test_an_authority_and_a_certificate_of_ours_are_told_to_libpq(tmp_path: Path) -> None:
    files = {}
    for name in ("ca_file", "cert_file", "key_file"):
        (tmp_path / name).write_text("PEM")
        files[name] = str(tmp_path / name)
    told = postgres("host=erp.example.com", **files)
    assert [told[name] for name in ("sslrootcert", "sslcert", "sslkey")] == list(files.values())
    with pytest.raises(ValidationError, match="together"):
        postgres("host=erp.example.com", cert_file=files["cert_file"])
    with pytest.raises(ValidationError, match="one of the two"):
        postgres("host=erp.example.com sslrootcert=/other", ca_file=files["ca_file"])
    with pytest.raises(ValidationError, match="no file here"):
        postgres("host=erp.example.com", ca_file=str(tmp_path / "absent"))
    for part, kind in ((RestRead, "rest"), (Write, "http")):
        with pytest.raises(ValidationError, match="https"):
            part.model_validate({"kind": kind, "base_url": "http://127.0.0.1", "ca_file": files["ca_file"]})


def test_any_public_certificate_is_not_enough_for_verify_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    with pytest.raises(ValidationError, match="ca_file"):
        postgres("host=erp.example.com sslmode=verify-ca")
    (tmp_path / "ca").write_text("PEM")
    assert postgres("host=erp.example.com sslmode=verify-ca", ca_file=str(tmp_path / "ca"))["sslmode"] == "verify-ca"


def test_a_system_file_is_told_its_line_and_names_are_read_without_the_secrets(tmp_path: Path) -> None:
    (tmp_path / "erp.yaml").write_text(SYSTEM.format("  kind: postgres\n  dsn: ${ERP_DSN}\n  ca_file: ${ERP_CA}\n"))
    assert [system.system for system in load_systems(tmp_path, {}, require_env=False)] == ["erp"]
    (tmp_path / "erp.yaml").write_text(SYSTEM.format("  kind: postgres\n  dsn: ${ERP_DSN}\n"))
    for dsn in ("host=erp.example.com sslmode=require password=hush", "hush"):
        with pytest.raises(ConfigError) as wrong:
            load_systems(tmp_path, {"ERP_DSN": dsn})
        assert "erp.yaml:3: read: " in str(wrong.value) and "hush" not in str(wrong.value)


def test_a_control_store_elsewhere_is_verified_too() -> None:
    url = "postgresql+psycopg://desk:hush@control.example.com/crossdock"
    assert protected_url(url, {}).query["sslmode"] == "verify-full"
    assert "sslmode" not in protected_url(url, {"CROSSDOCK_CONTROL_INSECURE": "true"}).query
    for here in ("sqlite:///x.sqlite", "postgresql+psycopg://desk@127.0.0.1/crossdock", "postgresql:///crossdock"):
        assert "sslmode" not in protected_url(here, {}).query
    for elsewhere in ("?sslmode=require", "?host=127.0.0.1&host=control.example.com&sslmode=disable"):
        with pytest.raises(PermanentError, match="CROSSDOCK_CONTROL_INSECURE") as refused:
            open_control(url + elsewhere)
        assert "hush" not in str(refused.value)


def test_business_now_is_not_asked_over_a_network_in_plain_text() -> None:
    with pytest.raises(SettingsError, match="https"):
        read_business_now("http://clock.example.com/now")
