"""Whole processes: what somebody at a command line waits for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from timing import Row, Timed, compared, timed

ROOT = Path(__file__).resolve().parent.parent
CONV = "3x3 convolution, 100x100x128 -> 100x100x256"
EVIDENCE = """
import time
start = time.perf_counter()
from symparams import catalog
from symparams.evidence import evidence

def find(layer):
    for tensor in layer.tensors:
        evidence(layer, tensor)
    for part in getattr(layer, "parts", ()):
        find(part.layer)

for identity in catalog.ids():
    find(catalog.layer(identity))
print(time.perf_counter() - start)
"""


def environment() -> dict[str, str]:
    """As somebody has it who did not think about it: byte code is kept, this checkout is run."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}


def run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], env=environment(), check=True,
                          stdout=subprocess.PIPE, encoding="utf-8")  # fmt: skip
    return done.stdout


def wall(*arguments: str) -> Timed:
    return timed(lambda: run(*arguments))


def cpu(*arguments: str) -> Timed:
    """User and system time of one process; where the system does not say, its wall time."""
    if not hasattr(os, "wait4"):
        return wall(*arguments)

    def one() -> float:
        with subprocess.Popen([sys.executable, *arguments], env=environment(),
                              stdout=subprocess.DEVNULL) as process:  # fmt: skip
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise AssertionError(arguments)
        return used.ru_utime + used.ru_stime

    return one


def found() -> float:
    """Seconds, imports included, to find the evidence of every layer in a fresh process."""
    return float(run("-c", EVIDENCE))


def second() -> float:
    return 1.0


def rows(rounds: int) -> list[Row]:
    nothing, heavy = ("-c", "pass"), ("-c", "import sympy")
    start, text = ("-m", "symparams", "--help"), ("-m", "symparams", "derive", CONV)
    latex, html = (*text, "--format", "latex"), (*text, "--format", "html")
    return [
        compared("symparams --help (CPU)", cpu(*start), "python -c pass", cpu(*nothing), rounds, 8),
        compared("symparams --help (wall)", wall(*start), "python -c pass", wall(*nothing), rounds,
                 8),
        compared("derive to text (CPU)", cpu(*text), "import sympy", cpu(*heavy), rounds, 1),
        compared("derive to text (wall)", wall(*text), "import sympy", wall(*heavy), rounds, 1),
        compared("derive to LaTeX (CPU)", cpu(*latex), "import sympy", cpu(*heavy), rounds, 1),
        compared("derive to LaTeX (wall)", wall(*latex), "import sympy", wall(*heavy), rounds, 1),
        compared("derive to HTML (CPU)", cpu(*html), "import sympy", cpu(*heavy), rounds),
        compared("all evidence of the catalogue", found, "one second", second, rounds, 1),
    ]  # fmt: skip
