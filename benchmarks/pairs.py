"""Thirteen answers and what they should be equal to, or not."""

from __future__ import annotations

import itertools

_VGG = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
_STEPS = list(itertools.pairwise(_VGG))

PAIRS: tuple[tuple[str, str, bool], ...] = (
    ("k**2*C_in*C_out + C_out", "(k*k*C_in+1)*C_out", True),
    ("k**2*C_in*(C_out+1)", "(k*k*C_in+1)*C_out", False),
    ("(C_in+1)*C_out", "C_in*C_out+C_out", True),
    ("4*(h*(d+h)+h)", "4*h*d+4*h**2+4*h", True),
    ("3*(h*(d+h)+2*h)", "3*h*(d+h+2)", True),
    ("12*L*d**2+13*L*d", "L*(4*d**2+4*d+8*d**2+5*d+4*d)", True),
    ("12*L*d**2+9*L*d", "L*(4*d**2+4*d+8*d**2+5*d+4*d)", False),
    ("V*d+T*d+12*L*d**2+13*L*d+2*d",
     "d*(V+T)+L*(4*d*(d+1)+2*d+2*d+d*(4*d)+4*d+4*d*d+d)+2*d", True),
    ("d*n_h*d_k+2*d*g*d_k+n_h*d_k*d", "2*d*d_k*(n_h+g)", True),
    ("E*(3*d*d_ff)+d*E+4*d**2", "d*(E*(3*d_ff+1)+4*d)", True),
    ("k**2*C_in+C_in+C_in*C_out+C_out", "C_in*(k**2+1+C_out)+C_out", True),
    ("r*(I+O)", "r*I+O*r", True),
    ("+".join(f"(k**2*{i}+b)*{o}" for i, o in _STEPS),
     f"k*k*{sum(i * o for i, o in _STEPS)}+b*{sum(o for _, o in _STEPS)}", True),
)  # fmt: skip
