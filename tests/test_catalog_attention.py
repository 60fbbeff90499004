"""Attention and transformers: conventions, published totals, hand counts, and networks from parts.

Sources: Vaswani et al. 2017; Radford et al. 2019; Devlin et al. 2019; Dosovitskiy et al. 2021;
Touvron et al. 2023; Jiang et al. 2024; DeepSeek-AI 2024; Liu et al. 2021.
"""

from __future__ import annotations

from typing import Any

import pytest
import sympy

from symparams import catalog
from symparams.algebra import value
from symparams.axes import axis
from symparams.binding import bind
from symparams.bridge import symbol, to_sympy
from symparams.declaration import Bound, Key, Layer, Part, part
from symparams.derivation import parts as deriving
from symparams.derivation.why import why
from symparams.errors import ValueRefused
from symparams.terms import Num, S


def bound(identity: str, convention: str = "textbook", **given: object) -> Bound:
    return bind(catalog.builder(identity), given, None, convention)


def count(identity: str, convention: str = "textbook", **given: object) -> int:
    return int(value(bound(identity, convention, **given).params))


def formula(identity: str, **options: object) -> sympy.Expr:
    return sympy.expand(to_sympy(Bound(catalog.layer(identity, **options)).count()))


def read(text: str) -> sympy.Expr:
    names = (
        "E E_k E_v E_out A h h_kv d_h d_v b F M r_q r_kv d_n d_r d_q d_k d_a X k r C_in C_out n L"
    )
    letters = {name: symbol(name) for name in names.split()}
    return sympy.expand(sympy.sympify(text, locals=letters))


@pytest.mark.parametrize(
    ("identity", "options", "text"),
    [
        ("multi_head_attention", {}, "E*(2*E + E_k + E_v) + 4*E*b"),
        ("multi_head_attention", {"bias_kv": True, "extra": 1}, "E*(2*E+E_k+E_v) + 4*E*b + 2*E"),
        ("multi_head_attention", {"extra": 1}, "E*(2*E + E_k + E_v) + 4*E*b"),
        ("multi_head_attention", {"per_head": True},
         "E*h*d_h + E_k*h*d_h + E_v*h*d_v + E*h*d_v + b*(2*h*d_h + h*d_v + E)"),
        ("multi_head_attention", {"qkv": True, "projected": True},
         "A*(E + E_k + E_v) + A*E_out + b*(3*A + E_out)"),
        ("multi_head_attention", {"qk_norm": True, "per_head": True},
         "E*h*d_h + E_k*h*d_h + E_v*h*d_v + E*h*d_v + b*(2*h*d_h + h*d_v + E) + 2*d_h"),
        ("multi_head_attention", {"gate": True}, "E*(3*E + E_k + E_v) + 5*E*b"),
        ("grouped_query_attention", {"per_head": True},
         "d_h*(2*E*h + E_k*h_kv + E_v*h_kv) + b*(h*d_h + 2*h_kv*d_h + E)"),
        ("multi_query_attention", {"per_head": True},
         "d_h*(2*E*h + E_k + E_v) + b*(h*d_h + 2*d_h + E)"),
        ("latent_attention", {},
         "E*r_q + r_q + r_q*h*(d_n+d_r) + E*(r_kv+d_r) + r_kv + r_kv*h*(d_n+d_v) + h*d_v*E"),
        ("additive_attention", {}, "d_a*(d_q + d_k + 1)"),
        ("additive_attention", {"projected": False}, "E"),
        ("dot_attention", {}, "0"),
        ("dot_attention", {"general": True}, "d_q*d_k"),
        ("dot_attention", {"scaled": True, "concat": True}, "2"),
        ("window_attention", {}, "4*E**2 + 4*E*b + (2*M - 1)**2*h"),
        ("feed_forward", {}, "2*E*F + b*(E + F)"),
        ("gated_feed_forward", {}, "3*E*F + b*(E + 2*F)"),
        ("mixture_of_experts", {}, "X*(3*E*F + b*(E + 2*F)) + E*X"),
        ("lora", {}, "r*(C_in + C_out)"),
        ("dora", {}, "r*(C_in + C_out) + C_out"),
        ("adapter", {}, "2*E*r + b*(r + E)"),
        ("prompt_tokens", {}, "n*E"),
        ("prefix_tokens", {}, "2*L*n*E"),
    ],
)  # fmt: skip
def test_formulas_come_out(identity: str, options: dict[str, object], text: str) -> None:
    assert formula(identity, **options) == read(text)


def test_heads_drop_out_where_they_share_the_model_width() -> None:
    answer = why(bound("multi_head_attention"), "h")
    assert (answer.drops_out, answer.removed_by, answer.stays_in) == (True, ("split",), ())
    per_head = why(bound("multi_head_attention", "keras"), "h")
    assert not per_head.drops_out
    assert "weight_q" in per_head.stays_in
    assert why(bound("multi_head_attention"), "T").removed_by == ("reindex", "restrict", "share")
    assert why(bound("transformer_encoder"), "h").removed_by == ("split",)


def test_the_width_of_a_head_is_a_size_under_keras() -> None:
    # keras.layers.MultiHeadAttention(4, key_dim) on 64 values a token
    assert count("multi_head_attention", "keras", E=64, h=4, d_h=64, b=1) == 66_368
    assert count("multi_head_attention", "keras", E=64, h=4, d_h=16, b=1) == 16_640
    assert count("multi_head_attention", E=64, h=4, head_dim=64, b=1) == 66_368


def test_heads_must_share_the_width_evenly() -> None:
    with pytest.raises(ValueRefused, match="num_heads=5 does not divide embed_dim=64"):
        bound("multi_head_attention", E=64, h=5)


@pytest.mark.parametrize(
    ("identity", "given", "wanted"),
    [
        ("multi_head_attention", {"E": 64, "h": 4, "b": 1}, 16_640),
        ("multi_head_attention", {"E": 64, "h": 4, "b": 1, "E_k": 32, "E_v": 48}, 13_568),
        ("transformer_encoder_layer", {"E": 64, "h": 4, "F": 128, "b": 1}, 33_472),
        ("latent_attention", {"E": 7168, "r_q": 1536, "h": 128, "d_n": 128, "d_r": 64,
                              "r_kv": 512, "d_v": 128}, 187_107_328),
        ("lora", {"C_in": 16, "C_out": 32, "r": 4, "b": 1}, 192),
    ],
)  # fmt: skip
def test_counts(identity: str, given: dict[str, object], wanted: int) -> None:
    assert count(identity, **given) == wanted


def test_lora_keeps_the_base_frozen() -> None:
    layer = bound("lora", C_in=16, C_out=32, r=4, b=1)
    assert value(layer.stored(trainable=False)) == 16 * 32 + 32
    assert count("lora", "keras", C_in=16, C_out=32, r=4, b=1) == 224  # its bias stays trained


@pytest.mark.parametrize(
    ("identity", "given", "wanted"),
    [
        ("multi_head_attention", {"E": 64, "h": 4, "T": 5}, 170_240 // 2),
        ("transformer_encoder_layer", {"E": 64, "h": 4, "F": 128, "T": 5}, 334_080 // 2),
        ("mixture_of_experts", {"E": 8, "F": 16, "X": 4, "k": 2, "T": 3}, 3 * (2 * 384 + 32)),
    ],
)
def test_multiply_accumulates_of_one_input(
    identity: str, given: dict[str, object], wanted: int
) -> None:
    layer = bound(identity, **given, b=1)
    assert value(layer.used) == wanted
    assert deriving.of_bound(layer, "macs").value == wanted


# --- networks from parts ------------------------------------------------------------------------


def network(*pieces: Part, letters: str = "T b") -> Bound:
    """A network declared from parts, its numbers in."""
    keys = tuple(Key(letter, letter) for letter in letters.split())
    ends = (axis("T", "t", "token", "in"),), (axis("T", "t", "token", "out"),)
    return Bound(Layer("network", "transformer", *ends, parts=pieces, keys=keys))


def total(net: Bound) -> int:
    assert deriving.derive(net).value == value(net.params)
    return int(value(net.params))


def embedding(name: str, rows: int, width: int) -> Part:
    return part(name, catalog.layer("embedding"), V=rows, d=width)


def norm(name: str, width: int, kind: str = "layer_norm", **bind: Any) -> Part:
    return part(name, catalog.layer(kind), d=width, **bind)


def linear(name: str, come: int, go: int, b: int = 1, tied: str = "") -> Part:
    return part(name, catalog.layer("linear"), tied=tied, C_in=come, C_out=go, b=b)


def encoder(width: int, hidden: int, heads: int, layers: int) -> Part:
    made = catalog.layer("transformer_encoder_layer", norm_first=True)
    return part("h", made, Num(layers), E=width, F=hidden, h=heads, b=1)


@pytest.mark.parametrize(
    ("width", "heads", "layers", "wanted"),
    [(768, 12, 12, 124_439_808), (1024, 16, 24, 354_823_168), (1280, 20, 36, 774_030_080),
     (1600, 25, 48, 1_557_611_200)],
)  # fmt: skip
def test_gpt2(width: int, heads: int, layers: int, wanted: int) -> None:
    net = network(
        embedding("wte", 50_257, width),
        part("wpe", catalog.layer("learned_positions"), T_max=1024, d=width),
        encoder(width, 4 * width, heads, layers),
        norm("ln_f", width),
        linear("head", width, 50_257, b=0, tied="wte"),
    )
    assert total(net) == wanted


def test_a_tied_head_is_used_and_adds_nothing() -> None:
    table, head = embedding("wte", 100, 16), linear("head", 16, 100, b=0, tied="wte")
    assert total(network(table, head)) == 1_600
    assert value(network(table, head).used) == 1_600


def test_bert_base() -> None:
    net = network(
        embedding("word", 30_522, 768),
        embedding("position", 512, 768),
        embedding("type", 2, 768),
        norm("norm", 768),
        encoder(768, 3072, 12, 12),
        linear("pooler", 768, 768),
    )
    assert total(net) == 109_482_240


def test_vit_b16() -> None:
    net = network(
        part("patches", catalog.layer("conv2d"), C_in=3, C_out=768, k_h=16, k_w=16, b=1),
        embedding("cls", 1, 768),
        embedding("positions", 14 * 14 + 1, 768),
        encoder(768, 3072, 12, 12),
        norm("norm", 768),
        linear("head", 768, 1000),
    )
    assert total(net) == 86_567_656


def llama_layer(forward: Part, heads: int, shared: int) -> Layer:
    attention = catalog.layer("grouped_query_attention")
    return Layer(
        "block", "transformer", (axis("T", "t", "token", "in"),), (axis("T", "t", "token", "out"),),
        parts=(
            part("self_attn", attention, E=4096, h=heads, h_kv=shared, b=0),
            norm("norm1", 4096, "rms_norm"),
            forward,
            norm("norm2", 4096, "rms_norm"),
        ),
        keys=(Key("T", "T"),),
    )  # fmt: skip


def llama(forward: Part, heads: int = 32, shared: int = 32) -> Bound:
    return network(
        embedding("embed_tokens", 32_000, 4096),
        part("layers", llama_layer(forward, heads, shared), Num(32)),
        norm("norm", 4096, "rms_norm"),
        linear("lm_head", 4096, 32_000, b=0),
    )


def test_llama_2_7b() -> None:
    forward = part("mlp", catalog.layer("gated_feed_forward"), E=4096, F=11_008, b=0)
    assert total(llama(forward)) == 6_738_415_616


def test_mistral_7b() -> None:
    forward = part("mlp", catalog.layer("gated_feed_forward"), E=4096, F=14_336, b=0)
    assert total(llama(forward, shared=8)) == 7_241_732_096


def test_mixtral_8x7b_total_and_active() -> None:
    forward = part("moe", catalog.layer("mixture_of_experts"), E=4096, F=14_336, X=8, k=2, b=0)
    net = llama(forward, shared=8)
    assert total(net) == 46_702_792_704
    assert value(net.active) == 12_879_925_248


def test_shared_experts_are_always_active() -> None:
    layer = bound("mixture_of_experts", E=8, F=4, X=6, k=2, X_s=1, b=0)
    assert value(layer.params) == 7 * 3 * 8 * 4 + 8 * 6
    assert value(layer.active) == 3 * 3 * 8 * 4 + 8 * 6


def test_swin_first_stage_attention() -> None:
    # (2*7 - 1)^2 numbers a head: Liu et al. 2021, 96 channels, 3 heads, 7x7 windows
    assert count("window_attention", E=96, h=3, M=7, b=1) == 4 * 96 * 96 + 4 * 96 + 169 * 3


def test_the_transformer_of_2017() -> None:
    # PyTorch's defaults: 6 + 6 layers, width 512, 2048 hidden, two norms at the end
    given = {"E": 512, "h": 8, "F": 2048, "L_e": 6, "L_d": 6, "b": 1}
    assert count("transformer", **given) == 44_140_544


def test_letters_of_a_part_are_those_of_the_whole() -> None:
    inner = catalog.layer("feed_forward")
    turned = part("ff", inner, E=S("F"), F=S("E"))
    keys = (Key("E", "E"), Key("F", "F"), Key("b", "b", kind="switch"))
    wrapped = Layer("wrapped", "transformer", (), (), parts=(turned,), keys=keys)
    found = to_sympy(Bound(wrapped).count()).subs(symbol("b"), 0)
    assert sympy.expand(found - read("2*E*F")) == 0
