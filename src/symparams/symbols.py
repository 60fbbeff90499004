"""Names: one object with five forms, and the index letters of written equations.

The plain form (``C_in``) is the key everywhere; LaTeX, MathML, spoken and code forms are
made from it by rule unless this table says otherwise.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """A letter's five forms.

    >>> name("C_in").latex, name("k_h").latex, name("C_in").code
    ('C_{\\\\text{in}}', 'k_{h}', 'in_channels')
    """

    plain: str
    latex: str
    base: str
    sub: str
    spoken: str
    code: str


_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "psi": "ψ", "omega": "ω",
}  # fmt: skip

# plain: (spoken, code) where they do not follow from the plain form.
_KNOWN = {
    "C_in": ("C in", "in_channels"),
    "C_out": ("C out", "out_channels"),
    "k": ("k", "kernel_size"),
    "s": ("s", "stride"),
    "P": ("P", "padding"),
    "d": ("d", "dilation"),
    "g": ("g", "groups"),
    "b": ("b", "bias"),
    "m": ("m", "depth_multiplier"),
    "N": ("N", "batch"),
    "H_out": ("H out", "out_height"),
    "W_out": ("W out", "out_width"),
    "D_out": ("D out", "out_depth"),
    "L_out": ("L out", "out_length"),
    "k_eff": ("effective k", "effective_kernel_size"),
}

_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9]*")


@functools.lru_cache(maxsize=4096)
def name(plain: str) -> Name:
    """The five forms of a letter; a part's letter (``conv1.H_out``) keeps its part in front."""
    part, _, own = plain.rpartition(".")
    base, _, sub = own.partition("_")
    spoken, code = _KNOWN.get(own, (own.replace("_", " "), own))
    shown = _GREEK.get(base, base)
    latex = _latex_base(base)
    subs = [piece for piece in (*sub.split("_"), part) if piece]
    if subs:
        latex += "_{" + ",".join(_latex_sub(piece) for piece in subs) + "}"
    return Name(plain, latex, shown, ",".join(subs), spoken, code)


def _latex_base(base: str) -> str:
    if base in _GREEK:
        return "\\" + base
    if len(base.rstrip("'")) == 1:
        return base
    return "\\text{" + latex_text(base) + "}"


def _latex_sub(sub: str) -> str:
    return sub if len(sub) == 1 and sub.isalnum() else "\\text{" + latex_text(sub) + "}"


_LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "^": r"\^{}", "_": r"\_", "~": r"\~{}", "%": r"\%",
}  # fmt: skip


def latex_text(text: str) -> str:
    """Plain text with every character that means something to TeX made harmless.

    >>> latex_text("50% of in_channels")
    '50\\\\% of in\\\\_channels'
    """
    return "".join(_LATEX_SPECIAL.get(character, character) for character in text)


def is_name(text: str) -> bool:
    """Whether a text can be a letter: a word of letters and digits, with subscripts.

    >>> is_name("C_in"), is_name("2k"), is_name("in-c")
    (True, False, False)
    """
    pieces = text.split("_")
    return bool(_SAFE.fullmatch(pieces[0])) and all(
        re.fullmatch(r"[A-Za-z0-9]+", piece) for piece in pieces[1:]
    )


# The index letter of each axis in a written equation (positions count from 1 on a page).
INDEX = {
    "N": "n", "C_out": "o", "C_in": "c", "C": "c", "m": "m",
    "L": "u", "H": "u", "W": "v", "D": "t",
    "r": "r",
    "L_out": "p", "H_out": "p", "W_out": "q", "D_out": "r",
    "k": "i", "k_h": "i", "k_w": "j", "k_d": "l",
}  # fmt: skip
