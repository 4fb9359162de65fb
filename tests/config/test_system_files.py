"""What a system file may say, and how it complains: file, line, key, what is allowed, and never a value."""

from pathlib import Path

import pytest

from connectors.config import ConfigError, load_systems
from connectors.config_kinds import RestStream, SftpStream, register_kind
from orchestration.dbt import systems_by_role

OMS = """\
system: oms
role: oms
title: Orders
owner: desk@example.com
read:
  kind: rest
  base_url: ${OMS_URL}
  auth: {header: X-Api-Key, value: "${OMS_API_KEY}"}
  budget: {requests_per_second: 50}
streams:
  - name: orders
    path: /v1/orders
    records: orders
    key: [number]
    cursor: {param: updated_since, field: updated_at}
    next_cursor: next_cursor
    document: order
"""
WMS = """\
system: wms
role: wms
read:
  kind: sftp
  host: ${HOST}
  port: ${PORT}
  username: crossdock
  password: ${PASSWORD}
  host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5
  root: /outbound
  zones: {EWR: America/New_York}
streams:
  - {name: event, pattern: "*/events_*.jsonl", format: jsonl, key: [id]}
"""
ENV = {
    "OMS_URL": "http://127.0.0.1:9/",
    "OMS_API_KEY": "canary-7f3",
    "HOST": "h",
    "PORT": "2222",
    "PASSWORD": "canary-9",
}


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def complaint(folder: Path, env: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_systems(folder, ENV if env is None else env)
    return str(caught.value)


def test_a_folder_of_files_becomes_systems_in_order_of_their_names(tmp_path):
    oms, wms = load_systems(write(tmp_path, b=OMS, a=WMS), ENV)
    assert (oms.system, wms.system) == ("oms", "wms")
    assert isinstance(oms.stream("orders"), RestStream) and isinstance(wms.stream("event"), SftpStream)
    assert oms.read.base_url == "http://127.0.0.1:9" and oms.read.budget.requests_per_second == 50
    assert wms.read.port == 2222 and oms.read.auth.headers() == {"X-Api-Key": "canary-7f3"}
    assert oms.stream("orders").overlap.total_seconds() == 300


def test_an_example_or_an_empty_folder_is_no_system(tmp_path):
    (tmp_path / "shop.yaml.example").write_text(OMS)
    (tmp_path / "README.md").write_text("# systems")
    assert load_systems(tmp_path, ENV) == []


def test_a_secret_shows_in_no_repr_and_in_no_complaint(tmp_path):
    systems = load_systems(write(tmp_path, oms=OMS, wms=WMS), ENV)
    assert "canary" not in repr(systems) + str([s.model_dump() for s in systems]) + systems[0].model_dump_json()
    broken = OMS.replace("requests_per_second: 50", 'requests_per_second: "${OMS_API_KEY}"')
    text = complaint(write(tmp_path, oms=broken))
    assert "read.budget.requests_per_second" in text and "canary" not in text


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("kind: rest", "kind: soap", 6, ["read.kind", "allowed: postgres, rest, sftp"]),
        ("role: oms", "role: shop", 2, ["role", "erp", "storefront"]),
        ("title: Orders", "titel: Orders", 3, ["titel", "not a known key", "title"]),
        ("budget: {requests_per_second: 50}", "budget: {per_second: 50}", 9, ["read.budget.per_second", "burst"]),
        ("    key: [number]\n", "", 11, ["streams[0].key", "missing"]),
        ("path: /v1/orders", "path: v1/orders", 12, ["streams[0].path"]),
        ("document: order", "documnet: order", 17, ["streams[0].documnet", "not a known key", "document"]),
        ("field: updated_at", "feild: updated_at", 15, ["streams[0].cursor.feild", "field, param"]),
        ('value: "${OMS_API_KEY}"', "valu: x", 8, ["read.auth", "header"]),
        ("title: Orders", "title: Orders\ntitle: Again", 4, ["title", "twice"]),
        ("title: Orders", "title: [Orders", 4, ["not YAML"]),
        ("system: oms", "system: Oms-1", 1, ["system", "right form"]),
    ],
)
def test_every_fault_names_file_line_key_and_what_is_allowed(tmp_path, before, after, line, words):
    assert before in OMS
    text = complaint(write(tmp_path, oms=OMS.replace(before, after)))
    assert f"oms.yaml:{line}:" in text, text
    for word in words:
        assert word in text


def test_all_faults_of_all_files_come_at_once(tmp_path):
    text = complaint(write(tmp_path, oms=OMS.replace("role: oms", "role: x"), wms=WMS.replace("port:", "prot:")))
    assert "oms.yaml:2: role" in text and "wms.yaml:6: read.prot" in text


def test_a_missing_environment_variable_is_named_with_its_place(tmp_path):
    folder = write(tmp_path, oms=OMS, wms=WMS)
    text = complaint(folder, {name: value for name, value in ENV.items() if name not in ("OMS_API_KEY", "PORT")})
    assert "oms.yaml:8: read.auth.value: needs the environment variable OMS_API_KEY" in text
    assert "wms.yaml:6: read.port: needs the environment variable PORT" in text
    assert len(text.splitlines()) == 2
    assert complaint(folder, {**ENV, "PORT": ""}).count("PORT") == 1


def test_names_and_streams_are_readable_without_the_environment(tmp_path):
    oms, wms = load_systems(write(tmp_path, oms=OMS, wms=WMS), {}, require_env=False)
    assert [s.name for s in (*oms.streams, *wms.streams)] == ["orders", "event"]
    assert wms.read.root == "/outbound" and oms.read.auth is not None


def test_two_files_may_not_declare_one_system_and_two_streams_may_not_share_a_name(tmp_path):
    assert "declared already, in a.yaml" in complaint(write(tmp_path, a=OMS, b=OMS))
    stream = WMS[WMS.index("  - {name") :]
    text = complaint(write(tmp_path, a=WMS + stream, b=OMS))
    assert "a.yaml:14: streams[1].name" in text and "streams[0] already" in text


def test_two_streams_may_not_share_a_table_and_none_may_be_called_like_the_log_of_another(tmp_path):
    erp = (
        "system: erp\nrole: erp\nread: {kind: postgres, dsn: 'host=/tmp'}\nstreams:\n"
        "  - {name: orders, table: sales.orders}\n  - {name: copy, table: sales.orders}\n"
        "  - {name: orders__log, table: sales.log}\n"
    )
    text = complaint(write(tmp_path, a=erp))
    assert "a.yaml:6: streams[1].table: is the table of streams[0] already" in text and "take one of them out" in text
    assert "a.yaml:7: streams[2].name: ends in __log" in text and "allowed: another name" in text


@pytest.mark.parametrize("pattern", ["/etc/*", "../*.csv", "a//b", "*/../x"])
def test_a_pattern_cannot_leave_the_root(tmp_path, pattern):
    assert "leaves the root" in complaint(write(tmp_path, wms=WMS.replace("*/events_*.jsonl", pattern)))


def test_durations_zones_and_addresses_are_checked(tmp_path):
    text = complaint(
        write(
            tmp_path,
            oms=OMS.replace("${OMS_URL}", "ftp://x") + "    overlap: 5 minutes\n",
            wms=WMS.replace("America/New_York", "America/Newark"),
        )
    )
    assert "base address" in text and "not a duration" in text and "not a time zone" in text


@pytest.mark.parametrize("code", ["'a|b'", "''", "0100", "x" * 33])
def test_a_legal_entity_is_a_code_that_can_begin_a_key(tmp_path, code):
    (said,) = complaint(write(tmp_path, oms=OMS + f"defaults: {{legal_entity: {code}}}\n")).splitlines()
    assert said.startswith("oms.yaml:18: defaults.legal_entity: is not a legal entity's code")


def test_a_system_quotes_an_erp_that_is_connected(tmp_path):
    erp = OMS.replace("system: oms", "system: old_erp").replace("role: oms", "role: erp")
    write(tmp_path, oms=OMS + "defaults: {legal_entity: '2', erp: erp_old}\n", erp=erp)
    text = complaint(tmp_path)
    assert "oms.yaml:18: defaults.erp" in text and "allowed: old_erp" in text
    write(tmp_path, oms=OMS + "defaults: {legal_entity: '2', erp: old_erp}\n")
    by_role = systems_by_role(load_systems(tmp_path, ENV))
    assert by_role["oms"] == [{"system": "oms", "streams": ["orders"], "legal_entity": "2", "erp": "old_erp"}]


def test_a_dollar_brace_can_be_written_literally(tmp_path):
    (oms,) = load_systems(write(tmp_path, oms=OMS.replace("title: Orders", "title: $${NOT_SET}")), ENV)
    assert oms.title == "${NOT_SET}"


def test_a_kind_cannot_be_registered_twice():
    with pytest.raises(ValueError, match="registered already"):
        register_kind("rest", RestStream, RestStream)  # type: ignore[arg-type]
