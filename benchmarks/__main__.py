"""Run the benchmarks: `python -m benchmarks [--only NAME]`; one JSON object per line on standard output."""

import argparse
import subprocess
import sys

NAMES = ("snapshot", "cdc", "commit_to_kpi", "passes")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=NAMES)
    chosen = parser.parse_args().only
    # a process each: memory and warm caches of one must not flatter the next
    codes = [subprocess.call([sys.executable, "-m", f"benchmarks.{name}"]) for name in NAMES if chosen in (None, name)]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
