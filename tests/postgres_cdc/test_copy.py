"""The copy: through random rows, changes of tables, filters, streams that come and go and servers that start again,
after each pass every landed column equals the source, or its stream is named as standing still.

CROSSDOCK_COPY_STEPS (500) and CROSSDOCK_COPY_SEED (1) say how long and which.
"""

import os
from pathlib import Path

import pytest

from .changing_company import Company

STEPS = int(os.environ.get("CROSSDOCK_COPY_STEPS", "500"))
SEED = int(os.environ.get("CROSSDOCK_COPY_SEED", "1"))


@pytest.mark.verify
@pytest.mark.timeout(1500)
def test_after_each_pass_every_column_equals_the_source_or_its_stream_is_named(tmp_path: Path) -> None:
    company = Company(tmp_path, SEED)
    try:
        company.check(company.sync())
        for number in range(STEPS):
            company.step()
            if company.random.random() < 0.25 or number == STEPS - 1:
                company.check(company.sync())
    except BaseException:
        print(f"CROSSDOCK_COPY_SEED={SEED}", *company.did[-25:], sep="\n")
        raise
    finally:
        company.server.stop()
