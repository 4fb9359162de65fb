"""Who acts is who logged in, whatever account the command runs under and whatever it is told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from connectors import writeback
from connectors.writeback import actor
from connectors.writeback.errors import Refused
from connectors.writeback.observed import open_observed
from tests.writeback.test_four_eyes import mapping  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
LOGS_IN_AND_SWITCHES = f"""
import json, os, pwd, sys
from connectors.writeback.actor import current_actor  # while this account may still read it
try:
    open("/proc/self/loginuid", "w").write("54321")
    os.setuid({NOBODY})
except OSError:
    sys.exit(77)
try:
    open("/proc/self/loginuid", "w").write("54322")
except OSError:
    pass
os.environ.update(SUDO_UID="1", SUDO_USER="somebody", LOGNAME="somebody", USER="somebody", CROSSDOCK_ACTOR="somebody")
print(json.dumps(current_actor()))
"""


def test_a_person_who_took_a_service_account_is_told_by_the_login() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", LOGS_IN_AND_SWITCHES], env=env, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("this kernel keeps no login, or the tests may not set one (they are root in CI)")
    assert json.loads(done.stdout) == "uid-54321", done.stderr


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Says whose session it is."""
    monkeypatch.setattr(actor, "LOGIN", tmp_path / "loginuid")
    return lambda uid: (tmp_path / "loginuid").write_text(str(uid))


def test_without_a_login_it_is_the_account(login, tmp_path: Path) -> None:
    own = actor.current_actor()
    for nobody in (actor.NONE, "", "?"):
        login(nobody)
        assert actor.current_actor() == own
    login(0)
    assert actor.current_actor() == "root"


def test_two_people_who_share_a_service_account_are_four_eyes_and_one_of_them_is_not(
    login,
    control,
    landed,
    mapping,  # noqa: F811
) -> None:
    def as_one(uid: int, step, *given):
        login(uid)
        with open_observed(landed.path, "erp", mapping) as observed:
            return step(control, mapping, observed, "erp", *given)

    as_one(70001, writeback.correct, "item", "142", {"unit_price": "21.50"}, "price list 7")
    plan_hash = as_one(70002, writeback.plan)["hash"]
    for involved in (70001, 70002):
        login(involved)
        with pytest.raises(Refused, match=f"needs a second person: uid-{involved}"):
            writeback.approve(control, mapping, plan_hash)
    login(70003)
    assert writeback.approve(control, mapping, plan_hash)["state"] == "approved"
