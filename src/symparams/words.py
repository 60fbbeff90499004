"""Where the words and pages are, and how a sentence is said from facts.

Words live apart from rules: a rule, a plan or an error knows the id of a sentence and the
facts in it; the sentence stands in ``templates/words/<language>/<file>.toml``.  A sentence
comes back in pieces, so that a renderer writes the mathematics in its own medium and
escapes everything else.
"""

from __future__ import annotations

import contextvars
import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import jinja2  # costs more than all of --help: imported with the first sentence that needs it

Sentence = tuple[Any, ...]
_HOLE = 0xE000  # private-use characters stand for the facts while a sentence is put together
_HOLES = 0xF8FF - _HOLE
_SPLIT = re.compile(f"([{chr(_HOLE)}-{chr(_HOLE + _HOLES)}])")
_PRIVATE = re.compile(f"[{chr(_HOLE)}-{chr(_HOLE + _HOLES)}]")
_FACT = re.compile(r"\{\{ *([A-Za-z]\w*) *\}\}")
_MARKS = re.compile(r"\{[{%#]")


@functools.cache
def templates() -> Path:
    """The folder of templates: inside an installed wheel, else at the top of the checkout.

    >>> (templates() / "words" / "en").is_dir()
    True
    """
    from pathlib import Path

    here = Path(__file__).resolve().parent
    for folder in (here / "templates", here.parent.parent / "templates"):
        if (folder / "words").is_dir():
            return folder
    raise FileNotFoundError("symparams was installed without its templates folder")


class _Facts:
    """The facts met while one sentence is rendered, each behind one private character."""

    def __init__(self) -> None:
        self.held: list[Any] = []

    def __call__(self, value: Any) -> str:
        if isinstance(value, str):
            return value if value.isascii() else _PRIVATE.sub("?", value)
        if value is None or isinstance(value, _environment().undefined):
            return ""
        if isinstance(value, tuple):
            return "".join(self(piece) for piece in value)
        if len(self.held) >= _HOLES:
            raise ValueError("a sentence holds too many facts")
        self.held.append(value)
        return chr(_HOLE + len(self.held) - 1)


_facts: contextvars.ContextVar[_Facts] = contextvars.ContextVar("facts")


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        finalize=lambda value: _facts.get()(value),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    environment.globals.clear()  # sentences use none, and every rendering would copy them
    return environment


@functools.cache
def _file(language: str, stem: str) -> dict[str, Any]:
    import tomllib  # only where words are needed

    folder = templates() / "words" / language
    found: dict[str, Any] = {}
    for path in (folder / f"{stem}.toml", *sorted((folder / stem).glob("*.toml"))):
        if path.is_file():
            found |= tomllib.loads(path.read_text(encoding="utf-8"))
    return found


@functools.cache
def source(identity: str, language: str = "en") -> str | None:
    """The template of a sentence id such as ``steps.share.position``, or None."""
    stem, *keys = identity.split(".")
    found: Any = _file(language, stem)
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    return found if isinstance(found, str) else None


@functools.cache
def _compiled(identity: str, language: str) -> Callable[[dict[str, Any]], Sentence]:
    text = source(identity, language)
    if text is None:
        raise KeyError(f"no sentence {identity!r} in the words for {language!r}")
    return _plain_template(text) or _full_template(text)


def _plain_template(text: str) -> Callable[[dict[str, Any]], Sentence] | None:
    """A sentence of words and facts only, put together without the template engine."""
    pieces = _FACT.split(text.removesuffix("\n"))  # as the engine does
    if any(_MARKS.search(piece) for piece in pieces[::2]):
        return None
    parts = [(position % 2 == 1, piece) for position, piece in enumerate(pieces) if piece]

    def together(facts: dict[str, Any]) -> Sentence:
        out: list[Any] = []
        for is_fact, part in parts:
            if not is_fact:
                out.append(part)
            else:
                out += _flat(facts[part])
        return tuple(out)

    return together


def _flat(fact: Any) -> list[Any]:
    if isinstance(fact, tuple):
        return [piece for part in fact for piece in _flat(part)]
    return [] if fact is None or fact == "" else [fact]


def _full_template(text: str) -> Callable[[dict[str, Any]], Sentence]:
    environment = _environment()
    template = environment.from_string(text)

    def together(facts: dict[str, Any]) -> Sentence:
        met = _Facts()
        token = _facts.set(met)
        try:
            context = environment.context_class(environment, facts, None, {})
            rendered = "".join(template.root_render_func(context))
        finally:
            _facts.reset(token)
        return tuple(_pieces(rendered, met.held))

    return together


def first(*identities: str, language: str = "en") -> str:
    """The first id that has a sentence: a layer's own wording before its family's."""
    for identity in identities:
        if source(identity, language) is not None:
            return identity
    raise KeyError(f"no sentence for any of {identities}")


def say(identity: str, facts: dict[str, Any] | None = None, language: str = "en") -> Sentence:
    """A sentence in pieces: strings, and the facts as they were given.

    >>> say("errors.never_closed")
    ('this bracket is never closed',)
    """
    return _compiled(identity, language)(facts or {})


def _pieces(text: str, held: list[Any]) -> list[Any]:
    pieces: list[Any] = []
    for position, part in enumerate(_SPLIT.split(text)):
        if position % 2:
            pieces.append(held[ord(part) - _HOLE])
        elif part:
            pieces.append(part)
    return pieces


def plain(identity: str, facts: dict[str, Any] | None = None, language: str = "en") -> str:
    """A sentence as one string, its facts as ``str`` writes them."""
    return "".join(str(piece) for piece in say(identity, facts, language))
