"""How long things take, as ratios within one run: ``python benchmarks`` (``--json``, ``--rounds``).

Every row times two things in turn, round after round, so that noise hits both, and reports the
median of the rounds' ratios.  A row with a bar is a promise; the exit status is 1 if one is
broken.  None of this runs in the test suite.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import inside
import processes
from timing import Row


def table(rows: list[Row]) -> str:
    lines = [("", "ours", "measured against", "", "ratio", "bar", "")]
    for row in rows:
        bar = "" if row.bar is None else f"< {row.bar:.3g}"
        verdict = "" if row.ok is None else ("ok" if row.ok else "BROKEN")
        lines.append((row.name, seconds(row.ours), row.against, seconds(row.theirs),
                      f"{row.ratio:.3g}", bar, verdict))  # fmt: skip
    wide = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    left = {0, 2, 6}
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n in left else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(line, wide, strict=True))
        ).rstrip()
        for line in lines
    )


def seconds(value: float) -> str:
    if value < 1e-3:
        return f"{value * 1e6:.0f} us"
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the rows as JSON")
    parser.add_argument("--rounds", type=int, default=11, help="rounds a row (default 11)")
    options = parser.parse_args()
    rows = [*inside.rows(options.rounds), *processes.rows(options.rounds)]
    if options.json:
        print(json.dumps([row.data() for row in rows], indent=2))
    else:
        print(table(rows))
    return 1 if any(row.ok is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
