"""`python -m recall [PROGRAM…] [--source CHECKOUT]`: the table, and under it what is missed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from recall.measure import CHECKOUT, measure
from recall.programs import PROGRAMS
from recall.table import HEAD, details, row, surplus


def main() -> int:
    parser = argparse.ArgumentParser(prog="recall")
    parser.add_argument("program", nargs="*", choices=[[], *PROGRAMS])
    parser.add_argument("--source", type=Path, default=CHECKOUT, help="a checkout of minify")
    parser.add_argument("--surplus", action="store_true", help="what was kept and not needed, too")
    options = parser.parse_args()
    wrong, more = "", ""
    sys.stdout.write(HEAD)
    for name in options.program or PROGRAMS:
        measured = measure(PROGRAMS[name], options.source.resolve())
        sys.stdout.write(row(measured))
        sys.stdout.flush()
        wrong += details(measured)
        more += surplus(measured) if options.surplus else ""
    sys.stdout.write(wrong + more)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
