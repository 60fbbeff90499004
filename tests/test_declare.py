"""A layer of somebody's own: declared in a few lines, with all that follows from it."""

from __future__ import annotations

import doctest
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from symparams import layer_type
from symparams.axes import ROLES
from symparams.declare import Key, Layer, axis, bias, box, layer, part, weight
from symparams.errors import DeclarationError, UnknownName
from symparams.render import FORMATS

DOCS = Path(__file__).parent.parent / "docs"


def test_the_documented_examples_run() -> None:
    found = doctest.testfile(str(DOCS / "own-layer.md"), module_relative=False, encoding="utf-8")
    assert found.attempted > 10
    assert found.failed == 0


def mixing() -> Any:
    return layer(
        "token_mixing", "T:token C", "T_new:token C", title="token mixing",
        tensors=[
            weight("T_new:token C", "T:token C").diagonal("C").shared_over("C"),
            bias("T_new:token C").shared_over("C"),
        ],
    )  # fmt: skip


@pytest.mark.parametrize("level", ["line", "exam", "lecture"])
@pytest.mark.parametrize("quantity", ["params", "shape", "macs", "activations"])
def test_every_page_of_an_own_layer(level: Any, quantity: Any) -> None:
    for given in ({}, {"T": 3, "T_new": 4, "C": 5}):
        found = mixing()(**given).derive(level, quantity)
        found.verify()
        for name in FORMATS:
            assert found.data is not None
            assert "own." not in getattr(found, name, lambda: "")()


@pytest.mark.parametrize("role", sorted(ROLES))
def test_an_axis_of_any_role_can_be_shared_and_asked_about(role: str) -> None:
    kind = layer(
        f"own_{role}", f"Q:{role} u", f"Q:{role} v",
        tensors=[weight(f"Q:{role} v", f"Q:{role} u").diagonal("Q").shared_over("Q"),
                 bias(f"Q:{role} v").shared_over("Q")],
    )  # fmt: skip
    assert str(kind.formula) == "b*v + u*v"
    for level in ("line", "exam", "lecture"):
        kind(Q=3, u=2, v=5).derive(level).text()  # type: ignore[arg-type]  # a level
    assert kind.why("Q").drops_out
    assert kind.why("Q").text()
    assert not kind.why("u").drops_out


def test_letters_get_the_fields_keys() -> None:
    conv = layer("own_conv", "C_in H W", "C_out H_out W_out", tensors=[
        weight("C_out H_out W_out", "C_in H W").windowed(H="k_h", W="k_w")
        .grouped("C_in", "C_out").shared_over("H_out", "W_out"),
    ], requires=["g | C_in", "g | C_out"])  # fmt: skip
    one = conv(in_channels=4, out_channels=8, kernel_size=3, groups=2, padding=1, height=9, width=9)
    assert (one.params, one.output_shape) == (144, (9, 9, 8))
    with pytest.raises(UnknownName):
        conv(filter=3)


def test_parts_of_own_layers_nest() -> None:
    inner = layer("own_inner", "u", "v", tensors=[weight("v", "u"), bias("v")])
    outer = layer("own_outer", "u", "u", parts=[
        part("first", inner, v="2*u"), part("second", inner, copies="n", u="2*u", v="u"),
    ])  # fmt: skip
    assert outer(u=3, n=2, b=1).params == (3 * 6 + 6) + 2 * (6 * 3 + 3)
    assert not outer.why("n").drops_out


def test_one_id_can_be_declared_anew() -> None:
    for width in ("u", "u w"):
        found = layer("own_again", width, "v", tensors=[weight("v", width)])
        found().derive().verify()


def test_a_plain_declaration_is_a_layer_type() -> None:
    u, v = axis("u", "i", "feature", "in"), axis("v", "j", "feature", "out")
    kind = layer_type(Layer("own_plain", "own", (u,), (v,), (weight((v,), (u,)),),
                            (Key("u", "width"), Key("v", "units")), title="plain"))  # fmt: skip
    assert kind(width=3, units=4).params == 12
    assert "width" in kind(units=4).derive().text()


@pytest.mark.parametrize(
    ("words", "says"), [("H:nonsense", "role"), ("C C", "twice")]
)  # fmt: skip
def test_bad_axes_are_refused(words: str, says: str) -> None:
    with pytest.raises(DeclarationError, match=says):
        box(words)


def test_an_id_of_the_catalogue_is_refused() -> None:
    with pytest.raises(DeclarationError, match="conv2d"):
        layer("conv2d", "C_in", "C_out", tensors=[weight("C_out", "C_in")])


def parameter(*shape: int, trained: bool = True) -> SimpleNamespace:
    return SimpleNamespace(shape=shape, requires_grad=trained)


def module(*held: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(named_parameters=lambda: enumerate(held))


def test_a_built_layer_is_compared() -> None:
    ours = mixing()(T=196, T_new=384, b=1)
    assert ours.verify_against(module(parameter(384, 196), parameter(384)))
    keras = [parameter(196, 384), parameter(384)]
    assert ours.verify_against(SimpleNamespace(weights=keras, trainable_weights=keras))
    other = ours.verify_against(module(parameter(384, 196)))
    assert not other
    assert (other.counted, other.found) == ((75648, 0), (75264, 0))
    assert (other.missing, other.extra) == (((384,),), ())
    assert not ours.verify_against(module(parameter(384, 196, trained=False), parameter(384)))


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="letters are left"):
        mixing()(T=196).verify_against(module())
    with pytest.raises(ValueError, match="neither"):
        mixing()(T=1, T_new=1, b=1).verify_against(object())
