"""The command line's manners: what it prints where, its exit status, and what it leaves behind."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import symparams
from symparams import cli

ROOT = Path(__file__).resolve().parent.parent
CONV = "3x3 convolution, 100x100x128 -> 100x100x256"
FORMATS = ("text", "latex", "mathml", "html", "markdown", "json")
FORMULA = "C_out (k² C_in + b)"


class Done(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line in this process."""

    def run(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        with pytest.raises(SystemExit) as end:
            cli.main(arguments)
        out, err = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Done(end.value.code, out, err)

    return run


def process(*arguments: str, env: dict[str, str] | None = None, **more: object) -> Done:
    """The command line in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LC_CTYPE", "LANG")}
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(  # type: ignore[call-overload]  # options come from the caller
        [sys.executable, "-m", "symparams", *arguments],
        env={**kept, "PYTHONPATH": path, "PYTHONUTF8": "1", **(env or {})},
        **{"capture_output": True, **more},
    )
    out, err = (("" if data is None else data.decode()) for data in (done.stdout, done.stderr))
    return Done(done.returncode, out, err)


def refused(done: Done, sentence: str) -> None:
    assert done.status == 2
    assert done.out == ""
    assert done.err == f"symparams: {sentence}\n"


# --- help, version, examples ----------------------------------------------------------------


def test_a_bare_call_prints_five_examples_that_work(run: Run) -> None:
    done = run()
    assert done.status == 0
    lines = done.out.splitlines()
    assert len(lines) == 5
    for line in lines:
        name, *arguments = shlex.split(line)
        assert name == "symparams"
        assert run(*arguments).status == 0, line


@pytest.mark.parametrize("command", ["", *cli.cli.commands])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help(run: Run, command: str, flag: str) -> None:
    done = run(*filter(None, [command, flag]))
    assert done.status == 0
    assert done.out.startswith("Usage: symparams")
    assert done.err == ""


@pytest.mark.parametrize("name", cli.cli.commands)
def test_every_example_in_a_help_page_works(run: Run, name: str) -> None:
    lines = [line.strip() for line in run(name, "--help").out.splitlines()]
    examples = [line for line in lines if line.startswith("symparams ")]
    assert examples
    for line in examples:
        assert run(*shlex.split(line)[1:]).status == 0, line


def test_help_tells_of_completion(run: Run) -> None:
    assert "_SYMPARAMS_COMPLETE=bash_source" in run("--help").out


def test_version(run: Run) -> None:
    assert run("--version") == Done(0, f"symparams {symparams.__version__}\n", "")


def test_as_a_module() -> None:
    assert process("--version") == Done(0, f"symparams {symparams.__version__}\n", "")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, symparams.cli as c\n"
        "try: c.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = ('sympy', 'jinja2', 'tomllib', 'symparams.catalog', 'symparams.render',\n"
        "         'symparams.derivation', 'symparams.reading', 'symparams.api')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert done.stderr.strip() == "[]"


def test_an_answer_does_not_wait_for_sympy() -> None:
    code = (
        "import sys, symparams.cli as c\n"
        "try: c.main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print('sympy' in sys.modules, file=sys.stderr)"
    )
    for arguments in (["derive", CONV], ["derive", CONV, "--format", "latex"], ["why", CONV, "H"],
                      ["simplify", "k*k*C + C"], ["compare", "conv2d", "conv2d"]):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}, check=True,
        )  # fmt: skip
        assert done.stderr.strip() == "False", arguments


# --- completion -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("symparams der", {"derive"}),
        ("symparams derive depthwise", {"depthwise_conv1d", "depthwise_conv2d"}),
        ("symparams derive conv2d ker", {"kernel_size="}),
        ("symparams why conv2d pad", {"padding="}),
        ("symparams derive conv2d --le", {"--level"}),
        ("symparams derive conv2d --level l", {"line", "lecture"}),
        ("symparams layers conv_tr", {"conv_transpose1d"}),
        ("symparams derive nonsense ", set()),
    ],
)
def test_completion(line: str, offered: set[str]) -> None:
    words = line.split(" ")
    env = {
        "_SYMPARAMS_COMPLETE": "bash_complete",
        "COMP_WORDS": line.rstrip(),
        "COMP_CWORD": str(len(words) - 1),
    }
    done = process(env=env)
    found = {item.partition(",")[2] for item in done.out.split()}
    assert offered <= found if offered else not found
    assert done.err == ""


# --- usage faults ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("deriv conv2d", "there is no command deriv; did you mean derive?"),
        ("DERIVE conv2d", "there is no command DERIVE; did you mean derive?"),
        ("conv2d", "there is no command conv2d; did you mean symparams derive conv2d?"),
        ("'conv 3x3'", 'there is no command conv 3x3; did you mean symparams derive "conv 3x3"?'),
        ("derive conv2d --widht 60", "derive has no option --widht; did you mean --width?"),
        ("derive conv2d -x", "derive has no option -x (symparams derive --help lists them)"),
        ("--foo", "symparams has no option --foo (symparams --help lists them)"),
        ("--level line derive conv2d",
         "symparams has no option --level: it belongs after a command, as in symparams derive "
         "conv2d --level"),
        ("derive conv2d --level lin",
         "--level takes line, exam or lecture, not lin; did you mean line?"),
        ("derive conv2d --form x", "--form takes expanded or factored, not x"),
        ("derive conv2d --width 3", "--width takes a whole number from 40 to 400, not 3"),
        ("derive conv2d --width ten", "--width takes a whole number from 40 to 400, not ten"),
        ("derive conv2d --width", "--width needs a value"),
        ("derive conv2d --level", "--level needs a value: line, exam or lecture"),
        ("derive conv2d --standalone=3", "--standalone stands alone: it takes no value"),
        ("derive", 'derive needs a layer, as in symparams derive "3x3 convolution, 100x100x128 -> '
                   '100x100x256"'),
        ("why", "why needs a layer, as in symparams why conv2d H"),
        ("why conv2d", "say which axis: symparams why conv2d H"),
        ("why 'conv 3x3'", 'say which axis: symparams why "conv 3x3" H'),
        ("simplify", 'simplify needs an expression, as in symparams simplify "k*k*C_in*C_out + '
                     'C_out"'),
        ("compare conv2d", 'compare needs two sides, as in symparams compare "depthwise_conv2d, '
                           'conv2d kernel_size=1" conv2d'),
        ("compare - -", "standard input can be only one of the two sides: write the other one out"),
    ],
)  # fmt: skip
def test_usage_faults(run: Run, line: str, sentence: str) -> None:
    refused(run(*shlex.split(line)), sentence)


def test_an_unknown_command_lists_the_commands(run: Run) -> None:
    done = run("frobnicate")
    assert done.status == 2
    assert done.err.startswith("symparams: there is no command frobnicate: the commands are ")
    assert all(name in done.err for name in cli.cli.commands)


def test_a_fault_of_ours_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(cli, "_model", broken)
    done = run("derive", "conv2d")
    assert done.status == 2
    assert done.err.startswith("symparams: this is a fault of symparams itself (KeyError)")
    assert done.err.count("\n") == 1
    monkeypatch.setenv("SYMPARAMS_DEBUG", "1")
    with pytest.raises(KeyError):
        cli.main(["derive", "conv2d"])


def test_a_refusal_without_a_sentence_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise symparams.Error("nobody_wrote_this")

    monkeypatch.setattr(cli, "_model", broken)
    refused(
        run("derive", "conv2d"), "this is a fault of symparams itself (Error): please report it"
    )


def test_every_refusal_has_its_sentence() -> None:
    text = (ROOT / "templates/words/en/errors.toml").read_text(encoding="utf-8")
    known = set(tomllib.loads(text))
    raised = re.compile(
        r'(?:Error|UnknownName|ValueRefused|TooLarge|[. ]refuse)\(\s*"([a-z_]+)"', re.MULTILINE
    )
    missing = {
        f"{path.name}: {identity}"
        for path in (ROOT / "src").rglob("*.py")
        for identity in raised.findall(path.read_text(encoding="utf-8"))
        if identity not in known
    }
    assert not missing


# --- formats and options --------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "arguments",
    [
        ("derive", CONV),
        ("derive", "conv 5x5 6, relu, flatten, dense 10"),
        ("simplify", "k*k*C_in*C_out + C_out"),
        ("why", "conv2d", "H"),
        ("compare", "conv2d", "depthwise_conv2d, conv2d kernel_size=1"),
        ("layers",),
        ("layers", "conv2d"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_formats(run: Run, arguments: tuple[str, ...], name: str) -> None:
    done = run(*arguments, "--format", name)
    assert done.status == 0
    assert done.err == ""
    assert done.out.endswith("\n")
    assert not done.out.endswith("\n\n")
    if name == "json":
        assert json.loads(done.out)
    if name in ("html", "mathml"):
        assert "<math" in done.out


@pytest.mark.parametrize(
    ("name", "start"), [("latex", "\\documentclass"), ("html", "<!DOCTYPE html>")]
)
def test_standalone(run: Run, name: str, start: str) -> None:
    whole = run("derive", CONV, "--format", name, "--standalone").out
    assert whole.lstrip().lower().startswith(start.lower())
    assert start not in run("derive", CONV, "--format", name).out


@pytest.mark.parametrize("width", [40, 60, 100])
def test_width(run: Run, width: int) -> None:
    one = run("derive", CONV, f"--width={width}")
    assert one == run("derive", CONV, "--width", str(width))
    assert max(map(len, one.out.splitlines())) <= width


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("derive conv2d C_in=m C_out=n k=3 bias=True --where n=30,m=4", 30 * (9 * 4 + 1)),
        ("derive conv2d C_in=2*m C_out=m kernel_size=n bias=True --where n=3,m=4",
         4 * (9 * 8 + 1)),
        ("derive 'conv2d in_channels=m kernel_size=3' C_out=n bias=True --where 'n = 30, m = 4'",
         30 * (9 * 4 + 1)),
        ("derive conv2d bias=True --where C_in=4,C_out=30,kernel_size=3", 30 * (9 * 4 + 1)),
        ("derive conv2d bias=True C_out=2*C_in k=(1,n) --where C_in=4,n=3", 8 * (3 * 4 + 1)),
        ("derive conv2d bias=True C_in=2 C_out=2 --where 'k=(2, 3)'", 2 * (6 * 2 + 1)),
    ],
)  # fmt: skip
def test_where(run: Run, line: str, count: int) -> None:
    done = run(*shlex.split(line), "--format", "json")
    assert done.err == ""
    assert json.loads(done.out)["value"] == count


def test_where_in_a_comparison(run: Run) -> None:
    line = "compare 'conv2d kernel_size=n' 'conv2d kernel_size=m' C_in=C C_out=C --where n=3,m=5"
    done = run(*shlex.split(line), "--format", "json")
    assert json.loads(done.out)["ratio"] in ("9/25", "9*1/25")


@pytest.mark.parametrize(
    ("where", "says"),
    [("zz=3", "conv2d has no zz"), ("n", "a key and its value"), ("n=0", "too small")],
)
def test_where_refused(run: Run, where: str, says: str) -> None:
    done = run("derive", "conv2d", "C_out=n", "--where", where)
    assert done.status == 2
    assert says in done.err


def test_an_expression_may_begin_with_a_minus(run: Run) -> None:
    for text in ("-k + k*3", "-3 + x", "--x", "-C_out*2 + C_out"):
        assert run("simplify", text).status == 0, text
    assert run("simplify", "--fomr", "x").status == 2


# --- standard input -------------------------------------------------------------------------


def test_standard_input(run: Run) -> None:
    direct = run("derive", CONV)
    for data in (CONV, CONV + "\n", CONV + "\r\n", "\ufeff" + CONV):
        assert run("derive", "-", stdin=data.encode()) == direct
    assert run("derive", "-", stdin=CONV.encode("utf-16")) == direct
    with_key = run("derive", "-", "kernel_size=3", stdin=b"conv2d")
    assert with_key == run("derive", "conv2d", "kernel_size=3")


def test_standard_input_of_the_other_commands(run: Run) -> None:
    assert run("simplify", "-", stdin=b"k*k + k\r\n") == run("simplify", "k*k + k")
    assert run("why", "-", "H", stdin=b"conv2d") == run("why", "conv2d", "H")
    assert run("compare", "-", "conv2d", stdin=b"linear") == run("compare", "linear", "conv2d")


def test_lines_may_end_as_on_windows(run: Run) -> None:
    unix = run("derive", "-", stdin=b"conv 3x3 8\nrelu\nmaxpool 2\n")
    assert unix.status == 0
    assert run("derive", "-", stdin=b"conv 3x3 8\r\nrelu\r\nmaxpool 2\r\n") == unix


def test_standard_input_that_is_no_text(run: Run) -> None:
    says = "standard input is not UTF-8 text: the byte at place 3 cannot be read"
    refused(run("derive", "-", stdin=b"abc\xff"), says)
    assert "nothing to read" in run("derive", "-").err
    assert "nothing to read" in run("simplify", "-").err


# --- files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_holds_what_would_be_printed(run: Run, tmp_path: Path, name: str) -> None:
    file = tmp_path / "out put.txt"
    arguments = ("derive", CONV, "--format", name)
    assert run(*arguments, "-o", str(file)) == Done(0, "", "")
    assert file.read_bytes().decode() == run(*arguments).out
    assert list(tmp_path.iterdir()) == [file]


def test_a_dash_is_standard_output(run: Run) -> None:
    assert run("derive", CONV, "-o", "-") == run("derive", CONV)


def test_a_file_is_replaced_only_by_an_answer(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    file.write_text("before")
    file.chmod(0o640)
    assert run("derive", "conv2d", "in_channels=0", "-o", str(file)).status == 2
    assert file.read_text() == "before"
    assert run("derive", "conv2d", "--output", str(file)).status == 0
    assert FORMULA in file.read_text(encoding="utf-8")
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_a_write_that_fails_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "out.txt"
    file.write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    done = run("derive", "conv2d", "-o", str(file))
    refused(done, f"{file} cannot be written: No space left on device")
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_places_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    for place in (tmp_path, tmp_path / "no" / "such", plain / "below", tmp_path / ("x" * 300)):
        done = run("derive", "conv2d", "-o", str(place))
        assert done.status == 2
        assert re.fullmatch(r"symparams: .* cannot be written: .+\n", done.err), done.err
    assert list(tmp_path.iterdir()) == [plain]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_folder_without_permission(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "shut"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    done = run("derive", "conv2d", "-o", str(folder / "out"))
    refused(done, f"{folder / 'out'} cannot be written: Permission denied")


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="no devices here")
def test_a_device_is_written_not_replaced(run: Run) -> None:
    assert run("derive", "conv2d", "-o", "/dev/null").status == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.skipif(os.name != "posix", reason="symbolic links of POSIX")
def test_a_link_stays_a_link(run: Run, tmp_path: Path) -> None:
    link, file = tmp_path / "link", tmp_path / "file"
    file.write_text("before")
    link.symlink_to(file)
    assert run("derive", "conv2d", "-o", str(link)).status == 0
    assert link.is_symlink()
    assert FORMULA in file.read_text(encoding="utf-8")


# --- streams --------------------------------------------------------------------------------

ASCII_ONLY = [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": ""}]


@pytest.mark.parametrize("env", ASCII_ONLY, ids=lambda env: next(iter(env)))
@pytest.mark.parametrize("name", FORMATS)
def test_a_stream_without_unicode(env: dict[str, str], name: str) -> None:
    done = process("derive", CONV, "--format", name, env=env)
    assert done.status == 0
    assert done.err == ""
    assert "?" not in done.out.replace("matter?", "")
    if name == "text" or env.get("PYTHONIOENCODING"):
        assert done.out.isascii()
    if name == "json":
        assert json.loads(done.out) == json.loads(process("derive", CONV, "--format", name).out)
    assert process("layers", env=env).out.isascii()


def test_a_narrow_stream() -> None:
    done = process("derive", CONV, env={"PYTHONIOENCODING": "latin-1"})
    assert done.status == 0
    assert done.out.isascii()


def test_a_refusal_on_a_stream_without_unicode() -> None:
    done = process("simplify", "С_in", env={"PYTHONIOENCODING": "ascii"})
    assert done.status == 2
    assert done.err.isascii()
    assert "Cyrillic" in done.err


def test_no_escape_codes_in_a_pipe() -> None:
    assert "\x1b" not in process("derive", CONV, env={"FORCE_COLOR": "1"}).out


@pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")
@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
    ids=str,
)
def test_colour_in_a_terminal(env: dict[str, str], coloured: bool) -> None:
    import pty
    import select

    ours, theirs = pty.openpty()
    try:
        quiet = {"stdout": theirs, "stderr": subprocess.PIPE, "capture_output": False}
        done = process("derive", CONV, "--level", "line", env=env, **quiet)
        ready, _, _ = select.select([ours], [], [], 10)
        shown = os.read(ours, 65536).decode() if ready else ""
    finally:
        os.close(theirs)
        os.close(ours)
    assert done == Done(0, "", "")
    assert ("\x1b[" in shown) is coloured
    assert "295,168" in shown


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("layers",), ("derive", CONV), ("--help",), ()])
def test_a_closed_pipe_is_quiet(arguments: tuple[str, ...], unbuffered: str) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        done = process(*arguments, env={"PYTHONUNBUFFERED": unbuffered}, capture_output=False,
                       stdout=theirs, stderr=subprocess.PIPE)  # fmt: skip
    finally:
        os.close(theirs)
    assert done == Done(0, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk(unbuffered: str) -> None:
    with open("/dev/full", "wb") as full:
        done = process("layers", env={"PYTHONUNBUFFERED": unbuffered}, capture_output=False,
                       stdout=full, stderr=subprocess.PIPE)  # fmt: skip
    refused(done, "the answer cannot be printed: No space left on device")


@pytest.mark.parametrize("closed", ["stdin", "stdout", "stderr"])
def test_streams_that_are_closed(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, closed, None)
    for arguments, status in ((["derive", "conv2d"], 0), ([], 0), (["derive", "-"], 2)):
        if closed != "stdin" and arguments == ["derive", "-"]:
            arguments = ["derive", "zz"]
        with pytest.raises(SystemExit) as end:
            cli.main(arguments)
        assert end.value.code == status


# --- never a network connection -------------------------------------------------------------


def test_no_connection_is_opened(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    for name in FORMATS:
        assert run("derive", CONV, "--format", name, "--standalone").status == 0
    assert run("layers").status == 0
