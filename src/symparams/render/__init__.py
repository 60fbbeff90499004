"""A derivation to a string: a module a format; renderers show what is there and know no layer."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..derivation.page import Page

# format -> the module that writes it and the options it takes; a format is a row and a module.
FORMATS: dict[str, tuple[str, tuple[str, ...]]] = {
    "text": ("text", ("width", "colour", "ascii_only", "language")),
    "markdown": ("markdown", ("language",)),
    "latex": ("latex", ("standalone", "language")),
    "mathml": ("mathml", ("language",)),
    "html": ("html", ("standalone", "language")),
}


def to_format(page: Page, name: str, **options: Any) -> str:
    """A page in a format; options that the format does not have are left out.

    Raises:
        KeyError: there is no such format.
    """
    module, takes = FORMATS[name]
    chosen = {key: value for key, value in options.items() if key in takes}
    rendered: str = import_module(f"{__name__}.{module}").render(page, **chosen)
    return rendered
