"""The Python door: layers as callables, derivations that show themselves, lazy imports."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from typing import Any

import pytest
import sympy

import symparams
from strategies import LEVELS, QUANTITIES
from symparams import (
    C_in,
    C_out,
    Conv2d,
    Linear,
    api,
    b,
    catalog,
    derive,
    g,
    k,
    k_h,
    k_w,
    layer,
    read,
    simplify,
    why,
)
from symparams.bridge import symbol
from symparams.errors import Error, UnknownName, UnreadableError, ValueRefused
from symparams.terms import S

CONV = Conv2d(in_channels=128, out_channels=256, kernel_size=3)
C = symbol("C")


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", catalog.ids())
def test_every_layer_is_importable_in_camel_case(identity: str) -> None:
    found = getattr(symparams, api.camel(identity))
    assert found.id == identity
    assert api.camel(identity) in dir(symparams)
    assert repr(found) == f"<layer {identity}>"
    assert found().derive("line").to_dict()["value"] in (None, found().params)


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("Conv2d", "conv2d"),
        ("conv2d", "conv2d"),
        ("Conv2D", "conv2d"),
        ("nn.Conv2d", "conv2d"),
        ("torch.nn.Conv2d", "conv2d"),
        ("keras.layers.Conv2D", "conv2d"),
        ("flax.linen.Conv", "conv2d"),
        ("ConvTranspose2d", "conv_transpose2d"),
        ("MaxPool2d", "max_pool2d"),
        ("Linear", "linear"),
        ("Dense", "linear"),
        ("keras.layers.Dense", "linear"),
        ("convolution", "conv2d"),
    ],
)
def test_a_layer_by_any_usual_name(name: str, identity: str) -> None:
    assert layer(name).id == identity


@pytest.mark.parametrize("name", ["nope", "conv9d", "", "torch.nn.Nope", "__class__", "Ünknown"])
def test_unknown_layers_are_refused(name: str) -> None:
    with pytest.raises(UnknownName) as refused:
        layer(name)
    assert str(refused.value)


def test_the_nearest_name_is_suggested() -> None:
    with pytest.raises(UnknownName, match="did you mean conv2d"):
        layer("conv2")
    with pytest.raises(UnknownName, match="did you mean in_channels"):
        Conv2d(in_chanels=3)


@pytest.mark.parametrize(("name", "said"), [("nope", "nope"), ("Nope", "no layer called")])
def test_what_the_package_does_not_have(name: str, said: str) -> None:
    with pytest.raises(AttributeError, match=said):
        getattr(symparams, name)


@pytest.mark.parametrize("name", ["C_in", "C_out", "k", "k_h", "k_w", "H", "W", "b", "g", "N"])
def test_letters_are_symbols(name: str) -> None:
    found = getattr(symparams, name)
    assert found is symbol(name)
    assert found.is_integer
    assert found.is_nonnegative
    assert found.is_positive is (None if name == "b" else True)


def test_every_error_has_one_base() -> None:
    for name in ("DeclarationError", "UnknownName", "UnreadableError", "ValueRefused",
                 "VerificationError"):  # fmt: skip
        assert issubclass(getattr(symparams, name), symparams.Error)


# --- counts --------------------------------------------------------------------------------------


def test_formula_has_every_letter() -> None:
    assert sympy.expand(Conv2d.formula - C_out * (C_in * k_h * k_w / g + b)) == 0


@pytest.mark.parametrize(
    ("model", "params"),
    [
        (CONV, 294_912 + 256 * b),
        (Conv2d(in_channels=128, out_channels=256, kernel_size=3, bias=True), 295_168),
        (Conv2d(in_channels=128, out_channels=256, kernel_size=3, bias=False), 294_912),
        (Conv2d(C_in=128, C_out=256, k=3), 294_912 + 256 * b),
        (Conv2d(filters=256, C_in=128, kernel_size=3, use_bias=True), 295_168),
        (Conv2d(128, 256, 3), 294_912 + 256 * b),
        (Conv2d(128, 256, 3, groups=4), 73_728 + 256 * b),
        (Conv2d(), C_out * C_in * k**2 + C_out * b),
        (Conv2d(kernel_size=(3, 5)), 15 * C_in * C_out + C_out * b),
        (Conv2d(kernel_size=[3, 5]), 15 * C_in * C_out + C_out * b),
        (Conv2d(kernel_size=3, C_out=2 * C_in), 18 * C_in**2 + 2 * C_in * b),
        (Conv2d(kernel_size=3, C_out="2*C_in"), 18 * C_in**2 + 2 * C_in * b),
        (Conv2d(kernel_size=3, C_out=2 * S("C_in")), 18 * C_in**2 + 2 * C_in * b),
        (Conv2d(C_in="C", C_out="C", k=1), C**2 + C * b),
        (Conv2d(C_in=sympy.Integer(3), C_out=4, k=1, bias=False), 12),
        (Conv2d(groups="g"), C_out * C_in * k**2 / g + C_out * b),
        (Conv2d(bias=b), C_out * C_in * k**2 + C_out * b),
        (Linear(128, 256, bias=True), 33_024),
        (layer("torch.nn.Conv2d")(3, 12, 3), 336),
        (layer("torch.nn.Conv2d")(3, 12, 3, bias=False), 324),
        (layer("keras.layers.Dense")(units=10, use_bias=True, batch_input_shape=[4, 31]), 320),
        (layer("keras.layers.Dense")(10, input_shape=(31,)), 320),
    ],
)
def test_params(model: Any, params: object) -> None:
    assert sympy.expand(model.params - params) == 0


def test_a_framework_s_layer_has_its_tensors_and_shapes() -> None:
    dense = layer("keras.layers.Dense")(units=10, use_bias=True, batch_input_shape=[4, 31])
    assert dense.tensors == {"kernel": (31, 10), "bias": (10,)}
    assert dense.output_shape == (4, 10)
    assert (dense.params, dense.non_trainable) == (320, 0)
    conv = layer("torch.nn.Conv2d")(3, 12, 3, batch_input_shape=[2, 3, 8, 8])
    assert conv.tensors == {"weight": (12, 3, 3, 3), "bias": (12,)}
    assert conv.output_shape == (2, 12, 6, 6)


@pytest.mark.parametrize("keyword", [{"activation": "relu"}, {"name": "x"}, {"dtype": "float32"}])
def test_keywords_that_change_no_size_are_accepted(keyword: dict[str, str]) -> None:
    dense = layer("keras.layers.Dense")(units=10, input_shape=(31,), **keyword)
    assert dense.params == 320


def test_own_tensors_and_shapes() -> None:
    assert CONV.tensors == {"weight": (256, 128, 3, 3), "bias": (256,)}
    sized = Conv2d(C_in=3, C_out=8, k=3, padding=1, H=10, W=12)
    assert sized.output_shape == (10, 12, 8)
    assert sized.macs == 10 * 12 * 8 * 27
    assert sized.activations == 10 * 12 * 8


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"in_channels": 0}, ValueRefused),
        ({"in_channels": -3}, ValueRefused),
        ({"in_channels": 1.5}, ValueRefused),
        ({"in_channels": sympy.Rational(3, 2)}, ValueRefused),
        ({"in_channels": 10**20}, ValueRefused),
        ({"in_channels": True}, ValueRefused),
        ({"in_channels": None}, ValueRefused),
        ({"bias": 2}, ValueRefused),
        ({"bias": None}, ValueRefused),
        ({"kernel_size": (3, 3, 3)}, ValueRefused),
        ({"in_channels": 6, "groups": 4}, ValueRefused),
        ({"in_channels": "bogus("}, UnreadableError),
        ({"in_channels": sympy.sqrt(2)}, Error),
        ({"in_channels": sympy.oo}, Error),
        ({"padding": ((0, 1), (0, 1, 2))}, ValueRefused),
        ({"colour": 3}, UnknownName),
        ({"in_channels": 3, "C_in": 4}, Error),
    ],
    ids=str,
)
def test_values_that_cannot_be_used(given: dict[str, Any], error: type[Error]) -> None:
    with pytest.raises(error) as refused:
        Conv2d(**given)
    assert str(refused.value)


def test_pairs_of_padding() -> None:
    conv = Conv2d(C_in=3, C_out=8, k=2, padding=((0, 1), (1, 1)), H=8, W=8)
    assert conv.output_shape == (8, 9, 8)
    assert conv.derive().to_dict()["value_with_bias"] == 8 * 13


def test_pairs_of_padding_on_a_transposed_convolution() -> None:
    """Done, or refused in a sentence."""
    with contextlib.suppress(Error):
        assert layer("conv_transpose2d")(padding=((0, 1), (0, 1))).params.free_symbols


# --- putting values in ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "values", "params"),
    [
        ({"C_in": 128, "C_out": 256, "k": 3}, {"b": 1}, 295_168),
        ({"C_in": 128, "C_out": 256, "k": 3}, {"bias": 1}, 295_168),
        ({"C_in": 128, "C_out": 256, "k": 3}, {"use_bias": True}, 295_168),
        ({"C_in": 128, "C_out": 256, "k": 3}, {"bias": False}, 294_912),
        ({}, {"k": 5}, 25 * C_in * C_out + C_out * b),
        ({}, {"kernel_size": 5}, 25 * C_in * C_out + C_out * b),
        ({}, {"k_h": 3, "k_w": 5}, 15 * C_in * C_out + C_out * b),
        ({}, {"k_h": 5}, 5 * k * C_in * C_out + C_out * b),
        ({}, {"in_channels": 2 * C_in}, 2 * k**2 * C_in * C_out + C_out * b),
        ({}, {"C_in": C_out, "C_out": C_in}, k**2 * C_in * C_out + C_in * b),
        ({"groups": "g"}, {"g": 2}, C_in * C_out * k**2 / 2 + C_out * b),
        ({"groups": "g"}, {"groups": 1}, C_in * C_out * k**2 + C_out * b),
        ({"C_out": "2*C_in"}, {"C_in": 4}, 32 * k**2 + 8 * b),
        ({}, {"H": 5}, C_in * C_out * k**2 + C_out * b),
    ],
    ids=str,
)
def test_subs(given: dict[str, Any], values: dict[str, Any], params: object) -> None:
    found = Conv2d(**given).subs(**values)
    assert sympy.expand(found.params - params) == 0
    found.derive().verify()


def test_subs_leaves_the_first_model_alone() -> None:
    CONV.subs(b=1)
    assert CONV.params == 294_912 + 256 * b


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({}, {"C_in": 0}),
        ({}, {"C_in": -2}),
        ({}, {"C_in": sympy.Rational(1, 2)}),
        ({}, {"b": 2}),
        ({"C_in": 6, "groups": "g"}, {"g": 4}),
    ],
    ids=str,
)
def test_subs_refuses_what_the_layer_refuses(given: dict[str, Any], values: dict[str, Any]) -> None:
    with pytest.raises(ValueRefused):
        Conv2d(**given).subs(**values)


def test_subs_refuses_unknown_names() -> None:
    with pytest.raises(UnknownName, match="foo"):
        CONV.subs(foo=1)
    with pytest.raises(UnknownName):
        CONV.subs(C_in=1, foo=1)


def test_symbols() -> None:
    assert CONV.symbols.C_in is C_in
    assert Conv2d.symbols.k_h is k_h
    model = Conv2d(C_in="n")
    assert model.symbols.n is symbol("n")
    assert not hasattr(CONV.symbols, "colour")


def test_sympy_works_on_the_results() -> None:
    model = Conv2d(C_out=C_in, k=3, bias=False)
    assert sympy.solve(model.params - 36_864, C_in) == [64]
    assert sympy.diff(Conv2d.formula, symbol("H")) == 0
    assert model.params.subs(C_in, 64) == 36_864


# --- what shows itself ---------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("level", LEVELS)
def test_derivations_in_every_format(level: Any, quantity: Any) -> None:
    found = Conv2d(C_in=3, C_out=8, k=3, H=9, W=9).derive(level, quantity=quantity)
    found.verify()
    for text in (found.text(), found.latex(), found.latex(standalone=True), found.markdown(),
                 found.html(), found.html(standalone=True), found.mathml()):  # fmt: skip
        assert isinstance(text, str)
        assert "{{ " not in text
    assert str(found) == found.text()
    assert json.loads(json.dumps(found.to_dict()))["level"] == level


@pytest.mark.parametrize(
    "shown",
    [CONV.derive(), CONV.why("H"), api.compare("conv2d", "conv2d"), simplify("k*k + k*k")],
    ids=lambda shown: type(shown).__name__,
)
def test_notebook_hooks(shown: Any) -> None:
    assert shown._repr_html_() == shown.html()
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "text/markdown"}
    assert bundle["text/plain"] == shown.text() == str(shown)
    assert repr(shown).startswith(f"<{type(shown).__name__}")
    assert "\n" not in repr(shown)
    assert shown.to_dict()["schema"] == 1


def test_a_model_shows_itself() -> None:
    assert CONV._repr_html_() == CONV.derive().html()
    assert "conv2d" in repr(CONV)


def test_values_and_steps() -> None:
    found = CONV.subs(b=1).derive("line")
    assert found.value == 295_168
    assert [step.rule for step in found.steps][:2] == ["dense", "reindex"]
    assert CONV.derive().value is None


@pytest.mark.parametrize(
    "wrong", [("essay", "params"), ("exam", "colour"), (None, "params"), ("exam", "")]
)
def test_unknown_levels_and_quantities(wrong: tuple[Any, Any]) -> None:
    with pytest.raises(ValueError, match="no derivation"):
        CONV.derive(wrong[0], quantity=wrong[1])


def test_forms() -> None:
    found = Conv2d(C_out=2 * C_in, k=3, bias=True).derive(form="factored")
    assert "factor_out" in [step.rule for step in found.steps]
    assert "2 C_in (9 C_in + 1)" in found.text()


def test_short_cuts() -> None:
    text = "3x3 convolution, 100x100x128 -> 100x100x256"
    assert derive(text, bias=True).value == read(text, bias=True).params == 295_168
    assert why(text, "H").removed_by == CONV.why("H").removed_by
    assert Conv2d.derive("line").to_dict()["value"] is None
    assert Conv2d.why("H").drops_out


@pytest.mark.parametrize(
    ("written", "result"),
    [
        ("k*k*C_in*C_out + C_out", C_out * (C_in * k**2 + 1)),
        (k * k * C_in + k * k, k**2 * (C_in + 1)),
        (S("k") * S("k"), k**2),
        ("256*(3*3*128)+256", 295_168),
        (5, 5),
    ],
    ids=str,
)
def test_simplify(written: object, result: object) -> None:
    found = simplify(written)
    assert found.result == result
    data = found.to_dict()
    assert data["value"] == (None if getattr(result, "free_symbols", ()) else result)


@pytest.mark.parametrize("written", [None, [], 1.5, "", "k**", object()])
def test_what_is_no_expression_is_refused(written: object) -> None:
    with pytest.raises(Error):
        simplify(written)


# --- what is imported, and when ------------------------------------------------------------------

LAZY = {
    "the package": "import symparams",
    "a page": "import symparams; symparams.derive('3x3 convolution, 9x9x3 -> 9x9x8').text()",
    "the lecture": "import symparams; symparams.derive('conv2d', 'lecture').text()",
    "why": "import symparams; symparams.why('conv2d', 'H').text()",
    "data": "import symparams; symparams.derive('conv2d').to_dict()",
    "the command line": "import sys; from symparams.cli import cli; "
    "cli.main(['derive', 'conv2d'], standalone_mode=False)",
}


@pytest.mark.parametrize("code", LAZY.values(), ids=LAZY)
def test_sympy_is_not_imported_for(code: str) -> None:
    check = "\nimport sys\nassert 'sympy' not in sys.modules, 'sympy was imported'"
    done = subprocess.run([sys.executable, "-c", code + check], capture_output=True, text=True,
                          encoding="utf-8", errors="replace")  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import symparams; "
        "print(sorted(m for m in set(sys.modules) - before if m.startswith('symparams')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "symparams.catalog" not in done.stdout
    assert "symparams.api" not in done.stdout
