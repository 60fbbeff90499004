"""The command line: one line in, one answer out; see ``symparams --help``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import click

from . import __version__
from .errors import Error

EXAMPLES = """\
symparams derive "3x3 convolution, 100x100x128 -> 100x100x256"
symparams derive conv2d in_channels=128 out_channels=256 kernel_size=3 --level lecture
symparams why conv2d H
symparams compare "depthwise_conv2d, conv2d kernel_size=1" conv2d
symparams layers
"""
EPILOG = """\
\b
Examples:
  symparams derive "3x3 convolution, 100x100x128 -> 100x100x256"
  symparams why conv2d H
  symparams layers
\b
Instead of a text, - reads standard input.  Exit status: 0 done, or the answer is right;
1 the answer is not right; 2 the input cannot be used, and standard error says why.
\b
Completion of commands, options, layers and keys:
  bash   eval "$(_SYMPARAMS_COMPLETE=bash_source symparams)"
  zsh    eval "$(_SYMPARAMS_COMPLETE=zsh_source symparams)"
  fish   _SYMPARAMS_COMPLETE=fish_source symparams | source
"""

LEVELS = ("line", "exam", "lecture")
QUANTITIES = ("params", "shape", "macs", "flops", "activations")
CONVENTIONS = ("textbook", "pytorch", "keras", "flax")
FORMATS = ("text", "latex", "mathml", "html", "markdown", "json")
FORMS = ("expanded", "factored")
MOST_INPUT = 1 << 20  # bytes of standard input; the readers' own limits are far below


# --- commands that refuse in one sentence ---------------------------------------------------


class _Group(click.Group):
    def main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["standalone_mode"] = False
        return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except BrokenPipeError:  # click itself would end with status 1
            raise click.exceptions.Exit(_hang_up()) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return _hang_up()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if ctx.resilient_parsing or name in self.commands:
            return super().resolve_command(ctx, args)
        if name.startswith("-"):
            raise click.NoSuchOption(name, ctx=ctx)
        names = list(self.commands)
        raise Error("no_command", name=name, near=_near(name, names), commands=_listed(names),
                    layer=_quoted(name) if _is_layer(name) else None)  # fmt: skip


class _Choice(click.Choice[str]):
    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value in self.choices:
            return value
        raise Error("option_choice", option=param.opts[-1], value=value,
                    near=_near(value, self.choices), choices=_listed(self.choices))  # fmt: skip


class _Range(click.IntRange):
    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            raise Error("option_range", option=param.opts[-1], value=value,
                        least=self.min, most=self.max) from None  # fmt: skip


class _Expression(click.Command):
    """A command whose argument may begin with a minus sign: ``-k + 3`` is no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        option = re.compile(r"--[a-z][a-z-]+(=|$)|--$|-[oh]|-$")
        minus = [" " + a if a.startswith("-") and not option.match(a) else a for a in args]
        return super().parse_args(ctx, minus)


def _usage(error: click.ClickException) -> Error:
    """A usage fault as click found it, in our own words."""
    ctx = getattr(error, "ctx", None)
    command = ctx.command if ctx else cli
    name = command.name or ""
    if isinstance(error, click.NoSuchOption):
        late = command is cli and any(
            error.option_name in param.opts for one in cli.commands.values() for param in one.params
        )
        near = error.possibilities[0] if error.possibilities else None
        return Error("no_option", command=name, option=error.option_name, near=near, late=late)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return Error(f"missing_{error.param.name}", command=name, example=_example(command))
    if isinstance(error, click.BadOptionUsage):
        named = [p for c in (command, *cli.commands.values()) for p in c.params]
        param: Any = next((p for p in named if error.option_name in p.opts), None)
        choices = _listed(getattr(param and param.type, "choices", ()))
        flag = bool(getattr(param, "is_flag", False))
        return Error("option_value", option=error.option_name, choices=choices, flag=flag)
    return Error("usage", message=error.format_message().rstrip("."))


def _example(command: click.Command) -> str:
    lines = (line.strip() for line in (command.help or "").splitlines())
    return next((line for line in lines if line.startswith("symparams ")), "")


def _near(name: str, names: Sequence[str]) -> str | None:
    import difflib

    return next(iter(difflib.get_close_matches(name.lower(), names, 1, 0.6)), None)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1] if len(names) > 1 else "".join(names)


def _is_layer(text: str) -> bool:
    from . import api

    try:
        api.read(text)
    except Error:
        return False
    return True


# --- completion -------------------------------------------------------------------------------


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Layers; after a layer its keys."""
    from . import catalog, lookup

    words = ctx.params.get(param.name or "") or ()
    if not words:
        return [name for name in catalog.ids() if name.startswith(incomplete)]
    try:
        layer = catalog.layer(lookup.find(words[0]).id)
    except Error:
        return []
    keys = [f"{key.code}=" for key in layer.keys if key.kind != "derived"]
    return [key for key in keys if key.startswith(incomplete)]


# --- the commands -----------------------------------------------------------------------------


_Decorate = Callable[[Callable[..., None]], Callable[..., None]]


def _choice(name: str, choices: Sequence[str], default: str | None, text: str) -> _Decorate:
    shown = default is not None
    return click.option(name, type=_Choice(choices), default=default, show_default=shown, help=text)


_WHERE = click.option("--where", metavar="n=30,m=4", default=None, help="Values for letters.")
_LAYER = click.argument("layer", nargs=-1, required=True, shell_complete=_complete)
_FORM_HELP = "Bring it to this form, in steps."


def _output(command: Callable[..., None]) -> Callable[..., None]:
    """The options that everything printed has."""
    for option in reversed((
        click.option("--format", "fmt", type=_Choice(FORMATS), default="text", show_default=True,
                     help="What to write."),
        click.option("--standalone", is_flag=True, help="A whole LaTeX document or HTML page."),
        click.option("--width", type=_Range(40, 400), default=None,
                     help="Columns of text (80, or what the terminal has)."),
        click.option("-o", "--output", metavar="FILE", help="Write to a file instead."),
    )):  # fmt: skip
        command = option(command)
    return command


@click.group(
    cls=_Group,
    name="symparams",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="symparams", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Derive how many parameters a neural-network layer has, step by step, and why."""
    if context.invoked_subcommand is None:
        _emit(EXAMPLES, "text")


@cli.command()
@_LAYER
@_choice("--level", LEVELS, "exam", "How much to show.")
@_choice("--quantity", QUANTITIES, None, "What to count (params, or what the text asks for).")
@_choice(
    "--convention",
    (*CONVENTIONS, "all"),
    None,
    "Whose convention (textbook, or as it is spelled); all shows how they differ.",
)
@_choice("--form", FORMS, None, _FORM_HELP)
@_WHERE
@_output
def derive(
    layer: tuple[str, ...], level: str, quantity: str | None, convention: str | None,
    form: str | None, where: str | None, **output: Any,
) -> None:  # fmt: skip
    """Derive a layer's count: a layer in words, as a call, or by name with its values.

    \b
    symparams derive "3x3 convolution, 100x100x128 -> 100x100x256"
    symparams derive conv2d in_channels=128 out_channels=256 kernel_size=3
    """
    if convention == "all":
        _print(_model(layer, where).conventions(), **output)
        return
    model = _model(layer, where, convention)
    _print(model.derive(level, quantity or model.asked, form), **output)


@cli.command(cls=_Expression, short_help="An expression simplified in named, verified steps.")
@click.argument("expression", nargs=-1, required=True)
@_choice("--form", FORMS, "factored", _FORM_HELP)
@_output
def simplify(expression: tuple[str, ...], form: str, **output: Any) -> None:
    """Simplify an expression in named, verified steps.

    \b
    symparams simplify "k*k*C_in*C_out + C_out"
    """
    from . import api

    _print(api.simplify(_stdin(" ".join(expression).strip()), form), **output)


@cli.command()
@_LAYER
@_WHERE
@_output
def why(layer: tuple[str, ...], where: str | None, **output: Any) -> None:
    """Why does an axis drop out, or where does it stay?  LAYER ... AXIS

    \b
    symparams why conv2d H
    symparams why flatten_dense H
    """
    plain = [position for position, word in enumerate(layer) if not _is_assignment(word)]
    if len(plain) < 2:
        raise Error("why_needs_axis", layer=" ".join(map(_quoted, layer)))
    axis = layer[plain[-1]]
    rest = layer[: plain[-1]] + layer[plain[-1] + 1 :]
    _print(_model(rest, where).why(axis), **output)


@cli.command()
@click.argument("left")
@click.argument("right")
@click.argument("values", nargs=-1)
@_choice("--quantity", ("params", "macs", "activations"), "params", "What to compare.")
@_WHERE
@_output
def compare(
    left: str, right: str, values: tuple[str, ...], quantity: str, where: str | None, **output: Any
) -> None:
    """Compare two sides, a layer or a sequence each; biases are left out unless bias=True.

    \b
    symparams compare "depthwise_conv2d, conv2d kernel_size=1" conv2d
    symparams compare "conv2d k=5" "conv2d k=3, conv2d k=3" C_in=C C_out=C
    """
    from . import api

    shared = _assignments(values)
    bias = shared.pop("bias", shared.pop("b", False))
    if left == right == "-":
        raise Error("one_stdin")
    _print(
        api.compare(_stdin(left), _stdin(right), quantity, bool(bias), _where(where), **shared),
        **output,
    )


@cli.command()
@click.argument("name", nargs=-1, shell_complete=_complete)
@_output
def layers(name: tuple[str, ...], **output: Any) -> None:
    """The catalogue of layers, or one of them.

    \b
    symparams layers
    symparams layers conv2d
    """
    from . import reference

    _print(reference.page_of(" ".join(name)) if name else reference.catalogue(), **output)


# --- reading arguments ------------------------------------------------------------------------


def _stdin(text: str) -> str:
    """A text, or standard input where it is a dash."""
    if text != "-":
        return text
    data = sys.stdin.buffer.read(MOST_INPUT) if sys.stdin is not None else b""
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(coding).replace("\r\n", "\n").strip()
    except UnicodeDecodeError as error:
        raise Error("not_text", byte=error.start) from None


def _model(words: tuple[str, ...], where: str | None, convention: str | None = None) -> Any:
    """A layer from the words of a command line: text first, then values; under a convention, or
    the one it is spelled in."""
    from . import api, lookup

    split = next((n for n, word in enumerate(words) if _is_assignment(word)), len(words))
    text = _stdin(" ".join(words[:split]))
    values = _assignments(words[split:])
    chain = lookup.read(text, values, _where(where), convention or "")
    return api.Model(chain, convention or "", asked=lookup.asked(text))


def _is_assignment(word: str) -> bool:
    head, sign, _ = word.partition("=")
    return bool(sign) and head.replace("_", "").isalnum() and head[:1].isalpha()


def _assignments(words: Sequence[str]) -> dict[str, object]:
    from .reading.values import read_assignment

    return dict(read_assignment(word) for word in words)


def _where(where: str | None) -> dict[str, object]:
    """``n=30,m=4``: a comma separates where another key follows."""
    return _assignments(re.split(r",(?=\s*\w+\s*=)", where)) if where else {}


def _quoted(word: str) -> str:
    return f'"{word}"' if re.search(r"[^\w.=+-]", word) else word


# --- printing ---------------------------------------------------------------------------------


def _print(shown: Any, fmt: str, standalone: bool, width: int | None, output: str | None) -> None:
    """Write an answer in the format asked for, to a file whole or to the terminal."""
    to_file = output not in (None, "-")
    if fmt == "json":
        from .render.json import dumps

        text = dumps(shown.to_dict())
    else:
        from .render import to_format

        text = to_format(
            shown.page, fmt, standalone=standalone, width=width or _columns(),
            colour=not to_file and _coloured(), ascii_only=not to_file and not _unicode(),
        )  # fmt: skip
    text = text if text.endswith("\n") else text + "\n"
    if to_file:
        _write(str(output), text)
    else:
        _emit(text, fmt)


def _emit(text: str, fmt: str) -> None:
    """Print, with what the stream cannot hold written in the format's own way."""
    if sys.stdout is None:
        return
    encoding = sys.stdout.encoding or "ascii"
    if fmt == "json" and not _unicode():
        text = "".join(_escaped(text))
    how = "xmlcharrefreplace" if fmt in ("html", "mathml", "markdown") else "replace"
    sys.stdout.write(text.encode(encoding, how).decode(encoding))


def _escaped(text: str) -> Iterator[str]:
    for character in text:
        if character.isascii():
            yield character
        else:
            units = character.encode("utf-16-be", "surrogatepass")
            yield "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))


def _write(name: str, text: str) -> None:
    """A file written whole or not at all; what is no plain file is written in place."""
    from pathlib import Path

    try:
        path = Path(name).resolve()
        data = text.encode("utf-8", "replace")
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a device or a pipe
        elif path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, os.strerror(13))
        else:
            _replace(path, data)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Error("cannot_write", path=name, reason=reason) from error


def _replace(path: Any, data: bytes) -> None:
    part = path.with_name(f".{path.name[:200]}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        if path.exists():
            part.chmod(path.stat().st_mode)
        os.replace(part, path)
    except BaseException:
        if part.is_file():
            part.unlink()
        raise


def _columns() -> int:
    if sys.stdout is None or not sys.stdout.isatty():
        return 80
    try:
        return max(40, min(os.get_terminal_size().columns, 100))
    except OSError:
        return 80


def _coloured() -> bool:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and sys.stdout is not None and sys.stdout.isatty()


def _unicode() -> bool:
    """Whether standard output shows our signs; LC_ALL=C says that it does not."""
    if os.environ.get("LC_ALL") in ("C", "POSIX") and "PYTHONIOENCODING" not in os.environ:
        return False
    try:
        "·×−→✓Σ⌊²─".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


# --- the way in -------------------------------------------------------------------------------


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; exit status 0 done, 1 not right, 2 the input cannot be used."""
    try:
        status = cli.main(args, prog_name="symparams")
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        status = _hang_up()
    except (click.exceptions.Abort, KeyboardInterrupt):
        status = 130
    except Exception as error:
        status = _refuse(_told(error))
    sys.exit(status if isinstance(status, int) else 0)


def _told(error: Exception) -> str:
    try:
        return _sentence(error)
    except Exception as worse:
        if worse is error:
            raise
        return f"this is a fault of symparams itself ({type(error).__name__}): please report it"


def _sentence(error: Exception) -> str:
    """One sentence for whatever went wrong; SYMPARAMS_DEBUG shows a fault of ours in full."""
    if isinstance(error, Error):
        return str(error)
    if isinstance(error, click.ClickException):
        return str(_usage(error))
    if isinstance(error, OSError):
        return str(Error("cannot_print", reason=error.strerror or str(error)))
    if os.environ.get("SYMPARAMS_DEBUG"):
        raise error
    if isinstance(error, RecursionError | MemoryError):
        return str(Error("too_much"))
    return str(Error("our_fault", kind=type(error).__name__))


def _refuse(sentence: str) -> int:
    if sys.stderr is not None:
        encoding = sys.stderr.encoding or "ascii"
        text = f"symparams: {sentence}\n".encode(encoding, "replace").decode(encoding)
        sys.stderr.write(text)
    return 2


def _hang_up() -> int:
    """The reader has gone: what is left to flush must not raise at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = None
    return 0
