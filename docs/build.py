"""Write what the documents show by running it: ``python docs/build.py``; ``--check`` only looks.

* ``docs/layers/`` is written from the catalogue: a page a layer, and an index;
* in ``README.md`` and ``docs/*.md`` a line ``$ symparams ...`` of a fenced block is run and what
  follows it replaced by what it prints; a plain ``symparams ...`` line of a ``sh`` block must work;
* a ``python`` block is run, one namespace a file: ``expression  # literal`` must be equal to it,
  and ``>>>`` lines are doctests (a block whose imports are not installed is passed over);
* ``docs/miscounts.md`` gets its tables from ``docs/miscounts.toml``, each number computed.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib.util
import io
import json
import os
import re
import shlex
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT / "src"))

import symparams  # noqa: E402  # the checkout's own, see above
from symparams import catalog, cli, reference, words  # noqa: E402  # the checkout's own, see above
from symparams.derivation.page import Formula  # noqa: E402  # the checkout's own, see above
from symparams.render import to_format  # noqa: E402  # the checkout's own, see above
from symparams.render.markdown import MarkdownWriter  # noqa: E402  # the checkout's own, see above

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"<!-- table: (\w+) -->\n.*?<!-- end -->", re.DOTALL)
RESULT = re.compile(r"^(?P<code>\S.*?)  # (?P<said>.+)$")
GENERATED = "<!-- Written by docs/build.py from the layer's entry; do not edit. -->\n\n"
INDEX = f"""{GENERATED}# The layers

A page each, written from the declarations: the formula is what comes out.

| layer | family | formula | |
| :-- | :-- | :-- | :-- |"""


class Wrong(Exception):
    """A document says what is not so."""


# --- running a line -------------------------------------------------------------------------------


def run(line: str) -> str:
    """What a command line prints, at 80 columns; files that it writes are thrown away.

    Raises:
        Wrong: it does not end with status 0.
    """
    args = shlex.split(line)[1:]
    status: object = None
    isolated = CliRunner().isolation(env={"LC_ALL": "C.UTF-8", "NO_COLOR": "1"})
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), isolated as streams:
        try:
            cli.main(args)
        except SystemExit as ended:
            status = ended.code
        sys.stderr.flush()
        out, *said = (stream.getvalue().decode("utf-8") for stream in streams if stream)
    if status:
        raise Wrong(f"{line}: {(said or [out])[0].strip()}")
    return out


def number(line: str) -> int:
    """The number that a line comes to: a command's value, or a Python expression."""
    if line.startswith("symparams "):
        return int(json.loads(run(f"{line} --format json"))["value"])
    names = {"layer": symparams.layer, "read": symparams.read}
    return int(eval(line, names))  # our own lines, from docs/miscounts.toml


# --- the pages of the layers ----------------------------------------------------------------------


def layer_page(identity: str) -> str:
    """A layer's page, its last lines as commands that can be copied."""
    page = reference.page_of(identity).page
    blocks = tuple(b for b in page.blocks if b.label.id != "subgoals.try")
    call = words.plain("reference.try", dict(page.blocks[-1].items[0].say.facts))
    text = to_format(type(page)(page.title, page.subtitle, blocks, page.answer), "markdown")
    text = re.sub(r"^#(#+ )", r"\1", text, flags=re.MULTILINE)
    more = "" if "drops out" not in text else f"\nsymparams why {identity} N"
    tries = f"{call}\nsymparams derive {identity} --level lecture{more}\n"
    return f"{GENERATED}{text}\n## Try\n\n```sh\n{tries}```\n\n[All layers](README.md)\n"


def layer_index() -> str:
    """The list of all layers, a table a family."""
    writer = MarkdownWriter()
    lines = [INDEX]
    for identity in catalog.ids():
        layer = catalog.layer(identity)
        formula = writer.fact(Formula(reference.formula_of(identity)))
        said = reference.sentence(layer)
        about = writer.sentence(said.say) if said is not None else ""
        family = layer.family.replace("_", " ")
        lines.append(f"| [{identity}]({identity}.md) | {family} | {formula} | {about} |")
    return "\n".join(lines) + "\n"


# --- the documents --------------------------------------------------------------------------------


def written(path: Path) -> str:
    """A document with every output as it is now.

    Raises:
        Wrong: a command fails, or a block of Python says what is not so.
    """
    text = TABLE.sub(lambda found: table(found[1]), path.read_text(encoding="utf-8"))
    space: dict[str, Any] = {}

    def block(found: re.Match[str]) -> str:
        kind, body = found[1], found[2]
        if kind == "python":
            run_python(body, space, path.name)
        elif body.startswith("$ symparams "):
            return f"```{kind}\n{shown(body)}```"
        elif kind == "sh":
            for line in filter(lambda one: one.startswith("symparams "), body.splitlines()):
                run(line)
        return found[0]

    return FENCE.sub(block, text)


def shown(body: str) -> str:
    """A session with its outputs run again."""
    lines = [line for line in body.splitlines() if line.startswith("$ ")]
    return "\n".join(f"{line}\n{run(line[2:])}" for line in lines)


def run_python(body: str, space: dict[str, Any], name: str) -> None:
    """A block of Python; a line ``expression  # literal`` is compared.

    Raises:
        Wrong: a line does not come to what is said.
    """
    if absent(body):
        return
    if ">>>" in body:
        test = doctest.DocTestParser().get_doctest(body, space, name, name, 0)
        runner, out = doctest.DocTestRunner(verbose=False), io.StringIO()
        if runner.run(test, out=out.write, clear_globs=False).failed:
            raise Wrong(f"{name}: {out.getvalue()}")
        space.update(test.globs)
        return
    exec(body, space)
    for code, said in claims(body):
        found = eval(code, space)
        if found != said:
            raise Wrong(f"{name}: {code} is {found!r}, not {said!r}")


def absent(body: str) -> bool:
    """Whether a block needs what is not installed, or only sketches an entry."""
    if body.startswith("Layer("):
        return True
    names = ("torch", "keras", "flax", "IPython")
    used = (n for n in names if re.search(rf"(?<![\w.\"']){n}\b(?=\.|\s*$)", body, re.MULTILINE))
    return any(importlib.util.find_spec(name) is None for name in used)


def claims(body: str) -> Iterator[tuple[str, object]]:
    """The lines of a block with a literal in their comment."""
    for line in body.splitlines():
        found = RESULT.match(line)
        if found is None:
            continue
        with contextlib.suppress(ValueError, SyntaxError):
            said = ast.literal_eval(found["said"])
            ast.parse(found["code"], mode="eval")
            yield found["code"], said


# --- the table of miscounts -----------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A layer that is easily miscounted: its true count, and a line that works it out."""

    case: str
    true: int
    line: str


def cases(name: str) -> list[Case]:
    """The cases of one table."""
    data = tomllib.loads((DOCS / "miscounts.toml").read_text(encoding="utf-8"))
    return [Case(**row) for row in data[name]]


def table(name: str) -> str:
    """The table of a name, with what symparams says now.

    Raises:
        Wrong: that is not the true count.
    """
    rows = []
    for case in cases(name):
        said = number(case.line)
        if said != case.true:
            raise Wrong(f"{case.case}: {said:,}, not {case.true:,}")
        rows.append(f"| {case.case} | {case.true:,} | {said:,} | `{case.line}` |")
    head = "| case | true count | symparams says | the line |\n| :-- | --: | --: | :-- |"
    return "\n".join((f"<!-- table: {name} -->", head, *rows, "<!-- end -->"))


# --- all of it ------------------------------------------------------------------------------------


def documents() -> list[Path]:
    """The documents that are written by hand."""
    return [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def everything(ids: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """Every file with what should be in it."""
    for path in documents():
        yield path, written(path)
    for identity in ids:
        yield DOCS / "layers" / f"{identity}.md", layer_page(identity)
    yield DOCS / "layers" / "README.md", layer_index()


def main(args: list[str]) -> int:
    """Write the files, or with ``--check`` say which would change."""
    os.chdir(ROOT)
    check = "--check" in args
    wanted = [a for a in args if not a.startswith("-")] or list(catalog.ids())
    changed = []
    try:
        for path, text in everything(wanted):
            if path.is_file() and path.read_text(encoding="utf-8") == text:
                continue
            changed.append(path)
            if not check:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        return 1
    stray = {p.stem for p in (DOCS / "layers").glob("*.md")} - {*catalog.ids(), "README"}
    for name in sorted(stray):
        print(f"no such layer: docs/layers/{name}.md", file=sys.stderr)
    for path in changed if check else ():
        print(f"would change: {path.relative_to(ROOT)}", file=sys.stderr)
    return int(bool(stray) or (check and bool(changed)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
