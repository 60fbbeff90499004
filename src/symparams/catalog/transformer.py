"""Transformers and their parts: feed-forward maps, experts, low-rank updates, layers and stacks.

Source: Vaswani et al. 2017; Shazeer 2020 (gated); Shazeer et al. 2017 and Fedus et al. 2021
(experts); Hu et al. 2021 (LoRA); Liu et al. 2024 (DoRA); Houlsby et al. 2019 (adapters); Li & Liang
2021 and Lester et al. 2021 (prefix and prompt tokens).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..axes import Axis, Box, axes, axis
from ..declaration import Build, Define, Divides, Key, Layer, Part, Tensor, bias, part, weight
from ..terms import ONE, Num, S
from .attention import HEADS, MODEL, TOKENS, attention, feature, per_token, token
from .dense import linear
from .keys import BIAS, C_IN, C_OUT
from .normalization import layer_norm

HIDDEN = Key(
    "F", "dim_feedforward",
    also=("d_ff", "intermediate_size", "hidden_features", "ffn_dim", "hidden_dim"),
)  # fmt: skip
DEPTH = Key("L", "num_layers", also=("n_layer", "num_hidden_layers", "depth"))
RANK = Key("r", "rank", also=("lora_rank",))
EXPERTS = Key("X", "num_experts", also=("n_experts", "num_local_experts", "n_routed_experts"))
CHOSEN = Key("k", "top_k", also=("num_experts_per_tok", "active_experts"))
WIDTH_OUT = Key("E_out", "out_features", kind="derived")
SOURCE = Key("S", "src_len", default=(S("T"),), kind="extent", also=("memory_len",))
NORM_BIAS = Key("b_n", "norm_bias", default=(S("b"),), kind="switch", least=0)
_INPUTS = (token("in"), feature("E", "m", "in"))
_OUTPUTS = (token("out"), feature("E_out", "o", "out", S("E")))


# --- feed-forward ---------------------------------------------------------------------------------


def _map(
    name: str, letter: str, wide: Axis, narrow: Axis, reads: str = "x", writes: str = "y"
) -> tuple[Tensor, Tensor]:
    """A dense map of each token, and its bias."""
    out = (token("out"), wide)
    made = weight(out, (token("in"), narrow), f"weight_{name}", f"w_{letter}")
    added = bias(out, f"bias_{name}", f"b_{letter}")
    return per_token(made.reading(reads, writes)), per_token(added.reading("", writes))


@functools.cache
def feed_forward(gated: bool = False, hidden: str = "F") -> Layer:
    """Each token through two maps, up and down again; ``gated`` has a third beside the first."""
    up = feature(hidden, "f", "out"), feature("E", "m", "in")
    down = feature("E_out", "o", "out", S("E")), feature(hidden, "f", "in")
    gate = _map("gate", "g", *up, writes="g") if gated else ()
    inside = "g u" if gated else "u"
    key = Key(hidden, "bottleneck", also=("rank",)) if hidden != "F" else HIDDEN
    return Layer(
        id="gated_feed_forward" if gated else "feed_forward",
        family="feed_forward",
        inputs=_INPUTS,
        outputs=_OUTPUTS,
        tensors=(*gate, *_map("up", "u", *up, writes="u"), *_map("down", "d", *down, inside)),
        keys=(MODEL, key, TOKENS, WIDTH_OUT, BIAS),
        defines=(Define("E_out", S("E")),),
    )


def mixture_of_experts(gated: bool = True, shared: bool = False) -> Layer:
    """Feed-forward maps side by side, a router that sends each token through k of them, and
    shared ones that every token goes through.

    All experts are stored, k of them and the shared ones are active for a token.
    """
    expert = feed_forward(gated)
    own: dict[str, Any] = {"E": S("E"), "T": S("T"), "b": S("b")}
    return Layer(
        id="mixture_of_experts",
        family="mixture_of_experts",
        inputs=_INPUTS,
        outputs=_OUTPUTS,
        parts=(
            part("router", linear(1), C_in=S("E"), C_out=S("X"), T=S("T"), b=0),
            part("experts", expert, S("X"), active=S("k"), F=S("F"), **own),
            *((part("shared", expert, S("X_s"), F=S("F_s"), **own),) if shared else ()),
        ),
        keys=(MODEL, HIDDEN, EXPERTS, CHOSEN, *_shared_keys(shared), TOKENS, WIDTH_OUT, BIAS),
        defines=(Define("E_out", S("E")),),
        options=(("gated", gated), ("shared", shared)),
    )


def _shared_keys(shared: bool) -> tuple[Key, ...]:
    many = Key("X_s", "shared_experts", kind="size" if shared else "derived", least=0,
               also=("n_shared_experts",), option="shared")  # fmt: skip
    return (many, Key("F_s", "shared_dim", default=(S("F"),))) if shared else (many,)


# --- small updates of large maps -----------------------------------------------------------------


def _per_site(tensor: Tensor, sites: tuple[str, ...]) -> Tensor:
    return tensor.diagonal(*sites).shared_over(*sites) if sites else tensor


def lora(lead: int = 0, trained_bias: bool = False, magnitude: bool = False) -> Layer:
    """A frozen dense layer, and beside it a map that is a product of two thin ones.

    With ``magnitude`` the length of each output's weights is learned as well (DoRA).
    """
    sites = tuple("T" if lead == 1 else f"T_{i + 1}" for i in range(lead))
    out, inputs = (" ".join((*sites, last)) for last in ("C_out", "C_in"))
    rank = axis("r", "r", "rank", "in")
    base = _per_site(weight(out, inputs), sites).frozen()
    update = _per_site(weight(out, inputs, "update", "u"), sites)
    update = update.factored(rank, ("C_out",), ("C_in",))
    added = bias(out).shared_over(*sites) if sites else bias(out)
    names = " ".join((*sites, "C_out"))
    length = weight(names, names, "magnitude", "m").diagonal(*sites, "C_out")
    length = (length.shared_over(*sites) if sites else length).of_kind("scale")
    length = length.reading("y", "y'")
    return Layer(
        id="dora" if magnitude else "lora",
        family="lora",
        inputs=axes(inputs, "in"),
        outputs=axes(out, "out"),
        tensors=(base, update, *((length,) if magnitude else ()),
                 added if trained_bias else added.frozen()),
        keys=(C_IN, C_OUT, RANK, *(Key(site, site, kind="extent") for site in sites), BIAS),
        options=(("lead", lead), ("trained_bias", trained_bias)),
        conventions=(("keras", (("trained_bias", ONE),)),),
    )  # fmt: skip


def adapter() -> Layer:
    """A thin feed-forward map beside a layer that is kept as it is."""
    return replace(feed_forward(hidden="r"), id="adapter")


def _learned(name: str, letter: str, box: Box) -> Tensor:
    """A table of learned tokens, read by no input."""
    return Tensor(name, letter, box, kind="table", reads="", writes=letter)


def prompt_tokens() -> Layer:
    """Learned tokens in front of the others: nothing is shared over them."""
    length, width = Key("n", "num_tokens", also=("prompt_length",)), feature("E", "m", "out")
    joined = (axis("T_out", "t", "token", "out"), feature("E_out", "m", "out", S("E")))
    return Layer(
        id="prompt_tokens",
        family="prompt_tokens",
        inputs=_INPUTS,
        outputs=joined,
        tensors=(_learned("prompt", "p", (axis("n", "a", "token", "out"), width)),),
        keys=(length, MODEL, TOKENS, Key("T_out", "out_tokens", kind="derived"), WIDTH_OUT),
        defines=(Define("T_out", S("n") + S("T")), Define("E_out", S("E"))),
    )


def prefix_tokens() -> Layer:
    """Learned keys and values in front of those of the tokens, in every layer."""
    box = (axis("kv", "j", "copy", "out", Num(2)), axis("L", "l", "copy", "out"),
           axis("n", "a", "token", "out"), feature("E", "m", "out"))  # fmt: skip
    return Layer(
        id="prefix_tokens",
        family="prompt_tokens",
        inputs=_INPUTS,
        outputs=_OUTPUTS,
        tensors=(_learned("prefix", "p", box),),
        keys=(Key("n", "num_tokens", also=("prefix_length",)), MODEL, DEPTH, TOKENS, WIDTH_OUT),
        defines=(Define("E_out", S("E")),),
    )


# --- layers and stacks ---------------------------------------------------------------------------


def _norm(name: str, switch: str = "b", tokens: str = "T") -> Part:
    return part(name, layer_norm(), d=S("E"), T=S(tokens), b=S(switch))


def _attention(name: str, cross: bool = False) -> Part:
    asked = S("S") if cross else S("T")
    same: dict[str, Any] = {letter: S(letter) for letter in ("E", "h", "T", "b")}
    return part(name, attention(cross=cross), S=asked, **same)


def _feed_forward() -> Part:
    same: dict[str, Any] = {letter: S(letter) for letter in ("E", "F", "T", "b")}
    return part("ffn", feed_forward(), **same)


def encoder_layer(norm_first: bool = False) -> Layer:
    """Self-attention, then a feed-forward map, each with a norm after it (or before it)."""
    steps = (_attention("self_attn"), _feed_forward())
    return _block("transformer_encoder_layer", steps, norm_first)


def decoder_layer(norm_first: bool = False) -> Layer:
    """An encoder layer that also attends to what the encoder gives."""
    steps = (_attention("self_attn"), _attention("cross_attn", cross=True), _feed_forward())
    return _block("transformer_decoder_layer", steps, norm_first)


def _block(identity: str, steps: tuple[Part, ...], norm_first: bool) -> Layer:
    parts: tuple[Part, ...] = ()
    for n, step in enumerate(steps, 1):
        pair = (_norm(f"norm{n}"), step) if norm_first else (step, _norm(f"norm{n}"))
        parts += pair
    return Layer(
        id=identity,
        family="transformer",
        inputs=_INPUTS,
        outputs=_OUTPUTS,
        parts=parts,
        keys=(HEADS, MODEL, HIDDEN, *_tokens(identity), WIDTH_OUT, BIAS),
        defines=(Define("E_out", S("E")),),
        requires=(Divides("h", "E"),),
        options=(("norm_first", norm_first),),
    )


def _tokens(identity: str) -> tuple[Key, ...]:
    return (TOKENS, SOURCE) if "decoder" in identity else (TOKENS,)


def stack(kind: str, norm_first: bool = False, final_norm: bool = False) -> Layer:
    """Copies of one layer, each with weights of its own, and a norm at the end where asked for."""
    identity = f"transformer_{kind}"
    made = encoder_layer(norm_first) if kind == "encoder" else decoder_layer(norm_first)
    names = ("E", "F", "h", "T", "b", *(("S",) if kind == "decoder" else ()))
    same: dict[str, Any] = {letter: S(letter) for letter in names}
    return Layer(
        id=identity,
        family="transformer",
        inputs=_INPUTS,
        outputs=_OUTPUTS,
        parts=(
            part("layers", made, S("L"), **same),
            *((_norm("norm", "b_n"),) if final_norm else ()),
        ),
        keys=(HEADS, MODEL, HIDDEN, DEPTH, *_tokens(identity), WIDTH_OUT, BIAS,
              *((NORM_BIAS,) if final_norm else ())),
        defines=(Define("E_out", S("E")),),
        requires=(Divides("h", "E"),),
        options=(("norm_first", norm_first), ("final_norm", final_norm)),
    )  # fmt: skip


def transformer(norm_first: bool = False) -> Layer:
    """An encoder of the source and a decoder of the target that attends to it; a norm ends each."""
    both: dict[str, Any] = {letter: S(letter) for letter in ("E", "F", "h", "b")}
    depths = (
        Key("L_e", "num_encoder_layers", also=("encoder_layers",)),
        Key("L_d", "num_decoder_layers", also=("decoder_layers",)),
    )
    encoder, decoder = stack("encoder", norm_first, True), stack("decoder", norm_first, True)
    return Layer(
        id="transformer",
        family="transformer",
        inputs=_INPUTS,
        outputs=_OUTPUTS,
        parts=(
            part("encoder", encoder, L=S("L_e"), T=S("S"), b_n=S("b"), **both),
            part("decoder", decoder, L=S("L_d"), T=S("T"), S=S("S"), b_n=S("b"), **both),
        ),
        keys=(HEADS, MODEL, HIDDEN, *depths, TOKENS, SOURCE, WIDTH_OUT, BIAS),
        defines=(Define("E_out", S("E")),),
        requires=(Divides("h", "E"),),
        options=(("norm_first", norm_first),),
    )


LAYERS: Mapping[str, Build] = {
    "feed_forward": functools.partial(feed_forward, False),
    "gated_feed_forward": functools.partial(feed_forward, True),
    "mixture_of_experts": mixture_of_experts,
    "lora": lora,
    "dora": functools.partial(lora, magnitude=True),
    "adapter": adapter,
    "prompt_tokens": prompt_tokens,
    "prefix_tokens": prefix_tokens,
    "transformer_encoder_layer": encoder_layer,
    "transformer_decoder_layer": decoder_layer,
    "transformer_encoder": functools.partial(stack, "encoder"),
    "transformer_decoder": functools.partial(stack, "decoder"),
    "transformer": transformer,
}
