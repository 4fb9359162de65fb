"""An API is asked over TLS, unless it is on this machine or somebody said that plain text is meant."""

import pytest
from pydantic import BaseModel, ValidationError

from connectors.config_kinds import RestRead
from connectors.config_model import Write

PARTS = [(RestRead, "rest"), (Write, "http")]


@pytest.mark.parametrize(("part", "kind"), PARTS)
@pytest.mark.parametrize("url", ["http://erp.example", "http://127.0.0.1.example", "HTTP://10.0.0.7:80/v1"])
def test_plain_text_over_a_network_is_refused(part: type[BaseModel], kind: str, url: str) -> None:
    with pytest.raises(ValidationError):
        part.model_validate({"kind": kind, "base_url": url})


@pytest.mark.parametrize(("part", "kind"), PARTS)
def test_what_is_meant_or_stays_here_or_is_encrypted_is_taken(part: type[BaseModel], kind: str) -> None:
    for url, insecure in (
        ("http://erp.example", True),
        ("http://127.0.0.1:9", False),
        ("http://[::1]:9/v1", False),
        ("https://erp.example/v1/", False),
    ):
        part.model_validate({"kind": kind, "base_url": url, "insecure": insecure})


@pytest.mark.parametrize(("part", "kind"), PARTS)
@pytest.mark.parametrize(
    "url", ["https://me:hush@erp.example", "https://hush@erp.example/v1", "https://e.example?k=hush"]
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(part: type[BaseModel], kind: str, url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        part.model_validate({"kind": kind, "base_url": url})
    assert "hush" not in str(refused.value)
