"""On the simulated world the published KPIs equal the world's own ledger, cell by cell."""

from pathlib import Path

import pytest

from tests.e2e.demo import demo_once, differences, published, summary, truth


def assert_equal_to_truth(home: Path) -> None:
    true, found = truth(home), published(home)
    assert len(true) > 1000, "the world's ledger is all but empty"
    assert {kpi for kpi, *_ in true} == {kpi for kpi, *_ in found}
    wrong = differences(true, found)
    assert not wrong, summary(wrong)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.verify)])
def test_sixty_days_equal_the_truth(tmp_path: Path, seed: int) -> None:
    demo_once(tmp_path, "--world", "simulated", "--seed", str(seed), "--days", "60")
    assert_equal_to_truth(tmp_path)


@pytest.mark.verify
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("chaos", [False, True], ids=["calm", "chaos"])
@pytest.mark.parametrize(("seed", "days"), [(1, 730), (2, 90), (3, 90), (4, 90), (5, 90)])
def test_a_quarter_or_two_years_equal_the_truth(tmp_path: Path, seed: int, days: int, chaos: bool) -> None:
    knobs = ["--days", str(days), *(["--chaos"] if chaos else [])]
    demo_once(tmp_path, "--world", "simulated", "--seed", str(seed), *knobs)
    assert_equal_to_truth(tmp_path)
