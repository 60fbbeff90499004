"""parse(print(x)) = x: what a layer prints as text reads back to the same layer."""

from __future__ import annotations

import random

import pytest

from symparams import catalog, evidence, read
from symparams.api import Model
from symparams.binding import bind
from symparams.chain import Chain, Part, Request
from symparams.terms import Num, S

READABLE = [identity for identity in catalog.ids() if not catalog.layer(identity).title]


def model(identity: str, numbers: bool) -> Model:
    """A layer with a number, or a letter of another name, for each of its sizes."""
    build = catalog.builder(identity)
    layer = catalog.layer(identity)
    env = evidence.small_numbers(layer, random.Random(5).choice) if numbers else {}
    given: dict[str, object] = {}
    for key in layer.keys:
        kinds = ("size", "extent", "modifier") if numbers else ("size", "extent")
        if key.kind not in kinds or (key.option and not key.words):
            continue
        for letter in key.letters:
            given[letter] = Num(env[letter]) if numbers else S("z_" + letter.replace("_", ""))
    bound = bind(build, given)
    return Model(Chain((Part(identity, bound),), (Request(build, given, {}),)))


@pytest.mark.parametrize("numbers", [True, False], ids=["numbers", "letters"])
@pytest.mark.parametrize("identity", READABLE)
def test_a_layer_reads_back(identity: str, numbers: bool) -> None:
    written = model(identity, numbers)
    again = read(written.spec())
    before, after = (m.chain.parts[0].bound for m in (written, again))
    assert before.layer == after.layer
    assert dict(before.values) == dict(after.values)


@pytest.mark.parametrize(
    "text",
    [
        "conv2d in_channels=3 out_channels=8 kernel_size=3x5 padding=same bias=True",
        "conv1d padding=causal kernel_size=k stride=2",
        "linear lead=2 out_channels=2*C",
        "flatten rank=3",
        "conv2d kernel_size=3, conv2d kernel_size=3",
    ],
)
def test_a_text_reads_back_to_itself(text: str) -> None:
    once = read(text)
    assert read(once.spec()).spec() == once.spec()
    assert read(once.spec()).params == once.params


@pytest.mark.parametrize("text", ["flatten rank=9", "flatten rank=x", "linear lead=True"])
def test_structure_that_there_is_not_is_refused(text: str) -> None:
    from symparams import ValueRefused

    with pytest.raises(ValueRefused):
        read(text)
