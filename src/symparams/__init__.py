"""symparams derives how many parameters a neural-network layer has, and why.

Layers are importable under their PyTorch class name or their id in CamelCase, letters under
their plain name: ``from symparams import Conv2d, k, C_in``.  Nothing heavy is imported
before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .errors import (
    DeclarationError,
    Error,
    UnknownName,
    UnreadableError,
    ValueRefused,
    VerificationError,
)

__version__ = "0.1.0"

_API = (
    "layer",
    "layer_type",
    "read",
    "derive",
    "why",
    "compare",
    "simplify",
    "Derivation",
    "Model",
    "LayerType",
)
_LETTERS = ("C_in", "C_out", "C", "k", "k_h", "k_w", "k_d", "H", "W", "D", "L", "H_out", "W_out",
            "D_out", "L_out", "b", "g", "m", "s", "P", "d", "N", "T")  # fmt: skip

__all__ = ["DeclarationError", "Error", "UnknownName", "UnreadableError", "ValueRefused",
           "VerificationError", "__version__", *_API]  # fmt: skip


def __getattr__(name: str) -> Any:
    """A function of the interface, a letter, or a layer by its name; found when asked for."""
    if name not in _API and name not in _LETTERS and not name[:1].isupper():
        raise AttributeError(f"module 'symparams' has no {name!r}")  # perhaps a module of ours
    api = import_module("symparams.api")
    if name in _API:
        return getattr(api, name)
    if name in _LETTERS:
        return api.letter(name)
    try:
        return api.layer(name)
    except UnknownName as error:
        raise AttributeError(f"module 'symparams' has no {name!r}: {error.sentence}") from None


def __dir__() -> list[str]:
    return sorted({*__all__, *_LETTERS, *import_module("symparams.api").names()})
