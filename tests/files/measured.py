"""A sync in a process of its own, for its peak memory: `python measured.py CONFIGURATION HOME` prints JSON."""

import json
import sys
from pathlib import Path

from connectors.config_kinds import KINDS
from connectors.config_model import System
from connectors.sync import sync


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text())
    kind = KINDS[given["read"]["kind"]]
    streams = tuple(kind.stream.model_validate(one) for one in given["streams"])
    result = sync(
        System(system="s", role="wms", read=kind.read.model_validate(given["read"]), streams=streams), sys.argv[2]
    )
    status = Path("/proc/self/status").read_text().splitlines()
    peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024 // 1_000_000
    print(json.dumps({"rows": result.rows, "dead": result.dead, "peak_mb": peak}))


main()
