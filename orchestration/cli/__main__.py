"""`python -m orchestration.cli` is `crossdock`."""

from orchestration.cli import main

main()
