"""Whatever is typed: a correct answer, or one sentence and exit status 2, at once.

The whole table runs in one child process, so that an input that hangs or eats the memory is
a failed test and not a dead test run.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

SECONDS = 20  # before a case counts as hanging; nothing here takes a tenth of one
CPU = 1.0  # of a refusal, about fifty times what it takes
MEGABYTES = 50

DEEP = "too deep to read"
DIGITS = "more than 200 digits"
LARGE = "too large|would be longer than anybody writes|too many summands"
MANY = "too many to read|too long"

# expression, what the refusal says
EXPRESSIONS: list[tuple[str, str]] = [
    ("9**9**9", LARGE),
    ("9^9^9", LARGE),
    ("9^{9^9}", LARGE),
    ("(9**9)**(9**9)", LARGE),
    ("(9*1)**(9**(8+1))", LARGE),
    ("2**(2**40)", LARGE),
    ("2**2**2**2**2**2", LARGE),
    ("(2+1)**(10**9)", LARGE),
    ("((9**9)**9999)**9999", LARGE),
    ("((2**64)**64)**64", LARGE),
    ("9**1500", LARGE),
    ("2**" * 150 + "2", LARGE + "|" + DEEP),
    ("x**9**9", LARGE),
    ("(((x**60)**60)**60)**60", LARGE),
    ("(x+1)**(10**9)", LARGE),
    ("(" * 5000 + "1" + ")" * 5000, MANY),
    ("(" * 1500 + "1" + ")" * 1500, DEEP),
    ("(" * 5000, MANY),
    ("(" * 150, DEEP + "|never closed"),
    (")" * 1500, "never opened"),
    ("{" * 300 + "x" + "}" * 300, DEEP),
    ("\\frac{" * 200, DEEP + "|never closed"),
    ("-" * 50_000 + "1", MANY),
    ("-" * 1500 + "1", DEEP),
    ("9" * 100_000, MANY),
    ("9" * 5000, DIGITS),
    ("+".join(["1"] * 20_000), MANY),
    ("+".join(["x"] * 20_000), MANY),
    ("/".join(["1"] * 1500), DEEP),
    ("(10**7)!", "factorials are not read"),
    ("factorial(10**7)", "not a function"),
    ("binomial(10**7, 5*10**6)", "not a function|comma"),
    ("__import__('os').system('true')", "underscore|quotation|not a function|no meaning"),
    ("().__class__.__base__.__subclasses__()", "dot has no meaning"),
    ("(lambda: 1)()", "lambda|no meaning|function"),
    ("exec('1')", "function|quotation"),
    ("x.__class__", "dot"),
    ("С_in*2", "Cyrillic letter"),
    ("x+а", "Cyrillic letter"),
    ("ｘ+1", "letter"),
    ("١+1", "no meaning"),
    ("<script>alert(1)</script>", "web page"),
    ("\\input{/etc/passwd}", "not a command"),
    ("\\write18{ls}", "not a command"),
    ("x\0y", "U\\+0000"),
    ("x\x1b[31m", "U\\+001B"),
    ("\u202ex", "U\\+202E"),
    ("a" * 5000, "longer than"),
    ("a_" * 2000, "underscore|longer|too many"),
    ("1e400", "not read as a number"),
    ("1/0", "divides by zero"),
    ("0**-1", "divides by zero"),
    ("1/(x-x)", "divides by zero"),
    ("4**(1/2)", "exponent here is a fraction"),
    ("x=1", "an = has no place"),
    ("x<y", "compares two expressions|web page"),
    ("∑", "big sums"),
    ("x%2", "no meaning in an expression"),
    ("...", "dots|dot"),
    ("", "nothing to read"),
    ("   ", "nothing to read"),
    ("()", "nothing stands in this bracket"),
]

# arguments, what the refusal says
REFUSED: list[tuple[list[str], str]] = [
    (["derive", "conv2d", "kernel_size=0"], "kernel_size=0 is too small"),
    (["derive", "conv2d", "in_channels=-3"], "in_channels=-3 is too small"),
    (["derive", "conv2d", "in_channels=1.5"], "not a whole number"),
    (["derive", "conv2d", "in_channels=1/2"], "not a whole number"),
    (["derive", "conv2d", "stride=0"], "stride=0 is too small"),
    (["derive", "conv2d", "groups=0"], "groups=0 is too small"),
    (["derive", "conv2d", "padding=-1"], "padding=-1 is too small"),
    (["derive", "conv2d", "in_channels=99999999999999999999"], "larger than any layer"),
    (["derive", "conv2d", "in_channels=9**9**9"], LARGE),
    (["derive", "conv2d", "in_channels=[[[[3]]]]"], "not a whole number|not a size"),
    (["derive", "conv2d", "in_channels="], "value such as"),
    (["derive", "conv2d", "kernel_size=3x3x3"], "3 values, but conv2d has 2 axes"),
    (["derive", "conv2d", "in_chanels=6"], "did you mean in_channels"),
    (["derive", "conv2d", "kernal_size=6"], "did you mean kernel_size"),
    (["derive", "conv2d", "__class__=6"], "key and its value|no __class__|not a word|no meaning"),
    (["derive", "conv2d", "H=5", "kernel_size=7"], "fits nowhere"),
    (["derive", "conv2d", "H=5", "kernel_size=7", "padding=0"], "fits nowhere"),
    (["derive", "conv2d", "H=10", "dilation=1000000", "kernel_size=3"], "fits nowhere"),
    (["derive", "7x7 convolution, 5x5x3"], "fits nowhere"),
    (["derive", "conv2d", "in_channels=6", "out_channels=8", "groups=4"], "does not divide"),
    (["derive", "nn.Conv2d(3, 12, 3, groups=5)"], "does not divide"),
    (["derive", "nn.Conv2d(9**9**9, 3, 3)"], LARGE),
    (["derive", "3x3 convolution, 100x100x128 -> 250x250x256"], "100 cannot become 250"),
    (["derive", "conv2d", "H=3", "H_out=7", "kernel_size=3"], "3 cannot become 7"),
    (["derive", "frobnicate"], "not a word that is known|no layer"),
    (["derive", "conv22d"], "did you mean conv2d"),
    (["derive", "os.system"], "no layer|not a word|class"),
    (["derive", "conv2d.__class__"], "no layer|not a word|no meaning|underscore"),
    (["derive", "a" * 20_000], "longer than"),
    (["derive", "a b " * 3000], MANY + "|not a word"),
    (["derive", "3 " * 3000], MANY + "|no layer"),
    (["derive", "conv2d(" * 500], DEEP + "|never closed"),
    (["derive", "conv <script>alert(1)</script>"], "web page|no meaning"),
    (["derive", "conv \\input{/etc/passwd}"], "no meaning|not a command"),
    (["derive", "conv2d {{ 7*7 }}"], "conv|place|expected|here"),
    (["derive", "conv2d \0"], "U\\+0000"),
    (["derive", "conv2d \x1b[31m"], "U\\+001B"),
    (["derive", "3х3 convolution"], "Cyrillic"),
    (["derive", "Conv2d(__import__('os').system('x'))"], "."),
    (["derive", "Conv2d(lambda: 3)"], "."),
    (["derive", "Conv2d(3, 12, kernel_size=3, kernel_size=4)"], "twice"),
    (["derive", "x" * 19_999], "longer than"),
    (["derive", "conv2d", "C_out=n", "--where", "n=9**9**9"], LARGE),
    (["derive", "conv2d", "C_out=n", "--where", "zzz=3"], "no zzz"),
    (["derive", "conv2d", "C_out=n", "--where", "n"], "key and its value"),
    (["derive", "conv2d", "C_out=n", "--where", "n=0"], "too small"),
    (["why", "conv2d", "H" * 5000], "no H|longer"),
    (["why", "conv2d", "__class__"], "no __class__"),
    (["why", "conv2d", "\x1b[31m"], "conv2d has no"),
    (["layers", "<b>"], "no layer called <b>"),
    (["layers", "a" * 5000], "no layer called a"),
    (["compare", "conv2d", "9**9**9"], "layer|named|meaning"),
    (["derive", "conv2d", "-o", "no/such/folder/\0"], "cannot be written"),
]

# arguments, what the answer holds
ANSWERED: list[tuple[list[str], str]] = [
    (["simplify", "(" * 90 + "x" + ")" * 90], "nothing to simplify"),
    (["simplify", "x**64*x**-64"], "1"),
    (["simplify", "(x+y+z+1)**200", "--form", "expanded"], "Simplified"),
    (["simplify", "9**1000 - 9**1000"], "= 0"),
    (["simplify", "--x*3"], "x·3"),
    (["derive", "conv2d", "C_in=10**12", "C_out=10**12", "k=1"], "1,000,000,000,000"),
    (["derive", "linear", "C_in=1000000000000", "C_out=1000000000000", "bias=False"],
     "1,000,000,000,000,000,000,000,000"),
    (["derive", "1000000 filters 3x3 on 10x10x3"], "28,000,000"),
    (["derive", "conv2d", "kernel_size=1000000", "C_in=1", "C_out=1"], "1,000,000,000,000"),
    (["derive", "conv2d", "H=1000000000000", "W=1000000000000", "k=3"], "1,000,000,000,000"),
    (["derive", "conv2d", "padding=1000000", "k=3"], "conv"),
    (["derive", "conv2d", "C_in=C_in**64", "C_out=C_in**64"], "C_in"),
    (["derive", "conv2d", "C_in=2*C_in", "C_out=C_in", "--quantity", "macs"], "C_in"),
    (["derive", ", ".join(["conv2d"] * 100), "--quantity", "shape"], "H − 100 k + 100"),
    (["derive", ", ".join(["dense 10"] * 500), "--level", "line"], "500 layers"),
    (["derive", "conv2d\r\nrelu\r\n"], "2 layers"),
    (["why", ", ".join(["conv 3x3"] * 50), "H"], "50 layers"),
]  # fmt: skip

CASES: dict[str, tuple[list[str], int, str]] = {}
for _text, _says in EXPRESSIONS:
    CASES[f"simplify {_text[:40]!r} {len(_text)}"] = (
        ["simplify", _text, "--form", "expanded"],
        2,
        _says,
    )
for _arguments, _says in REFUSED:
    CASES[" ".join(a[:40] for a in _arguments) + f" {len(_arguments[1])}"] = (_arguments, 2, _says)
for _arguments, _says in ANSWERED:
    CASES[" ".join(a[:60] for a in _arguments)] = (_arguments, 0, _says)


# --- in the child ---------------------------------------------------------------------------


def memory() -> float:
    """The most memory this process ever had, in megabytes."""
    try:
        import resource
    except ImportError:  # Windows does not say
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def hanging(*_: object) -> None:
    raise TimeoutError(f"still working after {SECONDS} s")


def ran(arguments: list[str]) -> dict[str, Any]:
    from symparams.cli import main

    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n") for _ in range(2))
    before, began, status = memory(), time.process_time(), "none"
    if hasattr(signal, "SIGALRM"):
        signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(arguments)
    except SystemExit as end:
        status = str(end.code)
    except BaseException as error:
        status = f"{type(error).__name__}: {error}"[:200]
    finally:
        if hasattr(signal, "SIGALRM"):
            signal.alarm(0)
    taken, grew = time.process_time() - began, memory() - before
    for stream in (out, err):
        stream.seek(0)
    return {"status": status, "out": out.read(), "err": err.read(), "cpu": taken, "grew": grew}


def child() -> None:
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, hanging)
    for warm in (["derive", "conv2d"], ["simplify", "x+x"], ["why", "conv2d", "H"], ["derive", "3"],
                 ["compare", "conv2d", "conv2d"], ["derive", "nn.Conv2d(3, 4, 5)"]):  # fmt: skip
        ran(warm)
    for name, (arguments, _, _) in CASES.items():
        print(json.dumps({"name": name, **ran(arguments)}), file=sys.__stdout__, flush=True)


# --- the tests ------------------------------------------------------------------------------


@functools.cache
def results() -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve())],
        env={**os.environ, "PYTHONUTF8": "1", "SYMPARAMS_DEBUG": ""},
        capture_output=True,
        encoding="utf-8",
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    found = (json.loads(line) for line in done.stdout.splitlines())
    return {one["name"]: one for one in found}


def one_sentence(err: str) -> None:
    first, *place = err.rstrip("\n").split("\n")
    assert first.startswith("symparams: ")
    assert len(first) < 700
    assert not place or (len(place) == 2 and place[1].strip() == "^")
    assert all(character.isprintable() for character in first)
    for never in ("Traceback", "fault of symparams", "nested too deeply or", "does not hold"):
        assert never not in err


@pytest.mark.parametrize("name", CASES)
def test_hostile(name: str) -> None:
    _, status, says = CASES[name]
    found = results()[name]
    assert found["status"] == str(status), found
    assert found["grew"] < MEGABYTES
    if status == 0:
        assert says in found["out"]
        assert found["err"] == ""
        return
    assert found["out"] == ""
    one_sentence(found["err"])
    assert any(part in found["err"] for part in plain(says)), found["err"]
    assert found["cpu"] < CPU


def plain(says: str) -> list[str]:
    """The alternatives of what may be said."""
    return [part.replace("\\", "") for part in says.split("|")] if says != "." else [""]


def test_nothing_typed_reaches_the_system(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    for arguments in (["simplify", code], ["derive", code], ["derive", "conv2d", f"C_in={code}"],
                      ["derive", f"Conv2d({code})"], ["why", "conv2d", code], ["layers", code],
                      ["derive", f"conv2d {{{{ {code} }}}}"], ["compare", code, code]):  # fmt: skip
        assert ran(arguments)["status"] == "2"
    assert not mark.exists()


@pytest.mark.parametrize("form", ["html", "markdown", "latex", "mathml"])
@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\\input{/etc/passwd}"])
def test_a_name_is_never_markup(form: str, text: str) -> None:
    for arguments in (["derive", "conv2d", f"C_in={text}"], ["simplify", text], ["layers", text]):
        found = ran([*arguments, "--format", form])
        assert found["status"] == "2"
        assert found["out"] == ""


if __name__ == "__main__":
    child()
