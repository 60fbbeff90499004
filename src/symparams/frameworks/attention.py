"""Attention and transformer layers in the frameworks' words, one row a class."""

from __future__ import annotations

from .spelling import Spelling

SPELLINGS: tuple[Spelling, ...] = ()
