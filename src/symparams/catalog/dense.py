"""Dense layers: every output sees every input; a flattened image brings its size along."""

from __future__ import annotations

from collections.abc import Mapping

from ..axes import axes
from ..layer import Build, Key, Layer, bias, weight
from .keys import BIAS, C_IN, C_OUT


def linear(lead: int = 0) -> Layer:
    """A dense layer on the last axis; leading axes are sites it is shared over."""
    sites = tuple("T" if lead == 1 else f"T_{i + 1}" for i in range(lead))
    out, inputs = " ".join((*sites, "C_out")), " ".join((*sites, "C_in"))
    return Layer(
        id="linear",
        family="linear",
        inputs=axes(inputs, "in"),
        outputs=axes(out, "out"),
        tensors=(
            weight(out, inputs).diagonal(*sites).shared_over(*sites),
            bias(out).shared_over(*sites),
        ),
        keys=(C_IN, C_OUT, *(Key(site, site, kind="extent") for site in sites), BIAS),
        options=(("lead", lead),),
    )


LAYERS: Mapping[str, Build] = {"linear": linear}
