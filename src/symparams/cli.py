"""The command line: one line in, one answer out; see ``symparams --help``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .errors import Error

EXAMPLES = """\
symparams derive "3x3 convolution, 100x100x128 -> 100x100x256"
symparams derive conv2d in_channels=128 out_channels=256 kernel_size=3 --level lecture
symparams why conv2d H
symparams compare "depthwise_conv2d, conv2d kernel_size=1" conv2d
symparams layers
"""

LEVELS = ("line", "exam", "lecture")
QUANTITIES = ("params", "shape", "macs", "flops", "activations")
CONVENTIONS = ("textbook", "pytorch", "keras", "flax")
FORMATS = ("text", "latex", "mathml", "html", "markdown", "json")


class _Group(click.Group):
    """Usage faults in one sentence, like every other refusal."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["standalone_mode"] = False
        return super().main(*args, **kwargs)


def _output(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options that everything printed has."""
    del name

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed((
            click.option("--format", "fmt", type=click.Choice(FORMATS), default="text",
                         show_default=True, help="What to write."),
            click.option("--standalone", is_flag=True, help="A whole LaTeX document or HTML page."),
            click.option("--width", type=click.IntRange(40, 400), default=None,
                         help="Columns of text (80, or what the terminal has)."),
            click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
                         help="Write to a file instead."),
        )):  # fmt: skip
            command = option(command)
        return command

    return decorate


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(
    package_name="symparams", prog_name="symparams", message="%(prog)s %(version)s"
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Derive how many parameters a neural-network layer has, step by step, and why."""
    if context.invoked_subcommand is None:
        click.echo(EXAMPLES, nl=False)


@cli.command()
@click.argument("layer", nargs=-1, required=True)
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="exam",
    show_default=True,
    help="How much to show.",
)
@click.option(
    "--quantity",
    type=click.Choice(QUANTITIES),
    default="params",
    show_default=True,
    help="What to count.",
)
@click.option(
    "--convention",
    type=click.Choice(CONVENTIONS),
    default="textbook",
    show_default=True,
    help="Whose convention.",
)
@click.option(
    "--form",
    type=click.Choice(("expanded", "factored")),
    default=None,
    help="Bring the count to this form, in steps.",
)
@click.option("--where", default=None, help="Values for letters: n=30,m=4.")
@_output("derive")
def derive(
    layer: tuple[str, ...], level: str, quantity: str, convention: str, form: str | None,
    where: str | None, **output: Any,
) -> None:  # fmt: skip
    """Derive a layer's count: a layer in words, as a call, or by name with its values.

    \b
    symparams derive "3x3 convolution, 100x100x128 -> 100x100x256"
    symparams derive conv2d in_channels=128 out_channels=256 kernel_size=3
    """
    model = _model(layer, where)
    model.convention = convention if convention != "textbook" else model.convention
    _print(model.derive(level, quantity, form), **output)


@cli.command()
@click.argument("expression", nargs=-1, required=True)
@click.option(
    "--form",
    type=click.Choice(("expanded", "factored")),
    default="factored",
    show_default=True,
    help="The form to bring it to.",
)
@_output("simplify")
def simplify(expression: tuple[str, ...], form: str, **output: Any) -> None:
    """Simplify an expression in named, verified steps.

    \b
    symparams simplify "k*k*C_in*C_out + C_out"
    """
    from . import api

    _print(api.simplify(_stdin(" ".join(expression)), form), **output)


@cli.command()
@click.argument("layer", nargs=-1, required=True)
@click.option("--where", default=None, help="Values for letters: n=30,m=4.")
@_output("why")
def why(layer: tuple[str, ...], where: str | None, **output: Any) -> None:
    """Why does an axis drop out, or where does it stay?  LAYER ... AXIS

    \b
    symparams why conv2d H
    symparams why flatten_dense H
    """
    plain = [word for word in layer if "=" not in word]
    if len(plain) < 2:
        raise Error("why_needs_axis", layer=" ".join(layer))
    axis = plain[-1]
    rest = list(layer)
    del rest[len(rest) - 1 - rest[::-1].index(axis)]
    _print(_model(tuple(rest), where).why(axis), **output)


@cli.command()
@click.argument("left")
@click.argument("right")
@click.argument("values", nargs=-1)
@click.option(
    "--quantity",
    type=click.Choice(("params", "macs", "activations")),
    default="params",
    show_default=True,
    help="What to compare.",
)
@click.option("--where", default=None, help="Values for letters: n=30,m=4.")
@_output("compare")
def compare(
    left: str, right: str, values: tuple[str, ...], quantity: str, where: str | None, **output: Any
) -> None:
    """Compare two sides, a layer or a sequence each; biases are left out unless bias=True.

    \b
    symparams compare "conv2d kernel_size=5" "conv2d kernel_size=3, conv2d kernel_size=3" C_in=C C_out=C
    """
    from . import api

    shared = _assignments(values)
    bias = shared.pop("bias", shared.pop("b", False))
    shared.update(_where(where))
    _print(api.compare(left, right, quantity, bool(bias), **shared), **output)


@cli.command()
@click.argument("name", required=False)
@_output("layers")
def layers(name: str | None, **output: Any) -> None:
    """The catalogue of layers, or one of them."""
    from . import reference

    _print(reference.catalogue() if name is None else reference.page_of(name), **output)


# --- reading arguments ------------------------------------------------------------------------


def _stdin(text: str) -> str:
    """A text, or standard input where it is a dash."""
    if text != "-":
        return text
    return sys.stdin.read(100_000)


def _model(words: tuple[str, ...], where: str | None) -> Any:
    """A layer from the words of a command line: text first, then values."""
    from . import api

    split = next((n for n, word in enumerate(words) if _is_assignment(word)), len(words))
    text = _stdin(" ".join(words[:split]))
    values = _assignments(words[split:])
    values.update(_where(where))
    return api.read(text, **values)


def _is_assignment(word: str) -> bool:
    head, sign, _ = word.partition("=")
    return bool(sign) and head.replace("_", "").isalnum() and head[:1].isalpha()


def _assignments(words: tuple[str, ...]) -> dict[str, object]:
    from .reading.values import read_assignment

    return dict(read_assignment(word) for word in words)


def _where(where: str | None) -> dict[str, object]:
    return _assignments(tuple(where.split(","))) if where else {}


# --- printing ---------------------------------------------------------------------------------


def _print(shown: Any, fmt: str, standalone: bool, width: int | None, output: Path | None) -> None:
    """Write an answer in the format asked for, to a file whole or to the terminal."""
    from .render import to_format

    if fmt == "json":
        from .render.json import dumps

        text = dumps(shown.to_dict())
    else:
        text = to_format(
            shown.page, fmt, standalone=standalone, width=width or _columns(),
            colour=output is None and _coloured(), ascii_only=output is None and not _unicode(),
        )  # fmt: skip
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
    else:
        _write(output, text)


def _write(path: Path, text: str) -> None:
    """A file written whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Error("cannot_write", path=str(path), reason=error.strerror or "") from error


def _columns() -> int:
    if not sys.stdout.isatty():
        return 80
    try:
        return max(40, min(os.get_terminal_size().columns, 100))
    except OSError:
        return 80


def _coloured() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _unicode() -> bool:
    try:
        "·×−→✓Σ⌊²─".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def main() -> None:
    """Run the command line: exit status 0 done, 2 the input cannot be used."""
    try:
        status = cli.main(prog_name="symparams")
        sys.stdout.flush()
    except Error as error:
        _refuse(str(error))
    except click.ClickException as error:
        _refuse(error.format_message())
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # The reader has gone; what is left to flush must not raise at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _refuse(sentence: str) -> None:
    encoding = sys.stderr.encoding or "ascii"
    text = f"symparams: {sentence}"
    click.echo(text.encode(encoding, "replace").decode(encoding), err=True)
    sys.exit(2)
