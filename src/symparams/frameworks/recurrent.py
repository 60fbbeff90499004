"""Recurrent layers in the frameworks' words: PyTorch, Keras, Flax, one row a class."""

from __future__ import annotations

from .spelling import Spelling

SPELLINGS: tuple[Spelling, ...] = ()
