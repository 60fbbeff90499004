"""Dense layers: every output sees every input; a flattened image brings its size along."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from ..axes import axes
from ..declaration import Build, Key, Layer, Tensor, bias, weight
from .keys import BIAS, C_IN, C_OUT, SPACE, extents

RANK = Key("r", "rank", also=("lora_rank",))


@functools.cache
def linear(lead: int = 0, lora: bool = False) -> Layer:
    """A dense layer on the last axis; leading axes are sites it is shared over.

    With ``lora`` the weight is frozen and a product of two thin matrices is learned beside
    it (Hu et al. 2021).
    """
    sites = tuple("T" if lead == 1 else f"T_{i + 1}" for i in range(lead))
    out, inputs, middle = (" ".join((*sites, last)) for last in ("C_out", "C_in", "r"))
    full = _per_site(weight(out, inputs), sites)
    thin: tuple[Tensor, ...] = ()
    if lora:
        full = full.frozen()
        thin = (
            _per_site(weight(middle, inputs, "lora_a", "A"), sites),
            _per_site(weight(out, middle, "lora_b", "B"), sites),
        )
    return Layer(
        id="linear",
        family="linear",
        inputs=axes(inputs, "in"),
        outputs=axes(out, "out"),
        tensors=(full, *thin, bias(out).shared_over(*sites) if sites else bias(out)),
        keys=(C_IN, C_OUT, *((RANK,) if lora else ()),
              *(Key(site, site, kind="extent") for site in sites), BIAS),
        options=(("lead", lead), ("lora", lora)),
    )  # fmt: skip


def _per_site(tensor: Tensor, sites: tuple[str, ...]) -> Tensor:
    return tensor.diagonal(*sites).shared_over(*sites) if sites else tensor


def flatten_dense(rank: int = 2) -> Layer:
    """Flatten, then dense: every position of every channel has its own weights."""
    space = SPACE[rank]
    inputs = " ".join(("C_in", *space))
    return Layer(
        id="flatten_dense",
        family="flatten_dense",
        inputs=axes(inputs, "in"),
        outputs=axes("C_out", "out"),
        tensors=(weight("C_out", inputs), bias("C_out")),
        keys=(C_IN, C_OUT, *extents(space)[: len(space)], BIAS),
        options=(("rank", rank),),
    )


def global_pool_dense(rank: int = 2) -> Layer:
    """Global average pooling, then dense: positions are averaged before a weight sees them."""
    space = SPACE[rank]
    inputs = " ".join(("C_in", *space))
    return Layer(
        id="global_pool_dense",
        family="global_pool_dense",
        inputs=axes(inputs, "in"),
        outputs=axes("C_out", "out"),
        tensors=(weight("C_out", inputs).shared_over(*space, summed=True), bias("C_out")),
        keys=(C_IN, C_OUT, *extents(space)[: len(space)], BIAS),
        options=(("rank", rank),),
    )


LAYERS: Mapping[str, Build] = {
    "linear": linear,
    "flatten_dense": flatten_dense,
    "global_pool_dense": global_pool_dense,
}
