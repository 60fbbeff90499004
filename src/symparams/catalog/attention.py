"""Attention: every token asks every other one; scores come from the data, projections are learned.

Source: Bahdanau et al. 2015 and Luong et al. 2015 (additive, multiplicative); Vaswani et al. 2017
(heads); Shazeer 2019 and Ainslie et al. 2023 (one key head for many); DeepSeek-V2 2024 (latent);
Liu et al. 2021 (windows).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from ..axes import Axis, Box, axis
from ..declaration import Build, Define, Divides, Key, Layer, Tensor, bias, weight
from ..terms import ONE, S, Term
from .keys import BIAS

HEADS = Key("h", "num_heads", also=("heads", "nhead", "num_query_heads", "n_heads"))
KV_HEADS = Key("h_kv", "num_kv_heads", also=("num_key_value_heads", "kv_heads"))
TOKENS = Key("T", "seq_len", kind="extent", also=("tokens", "tgt_len", "query_len"))
MEMORY = Key("S", "src_len", default=(S("T"),), kind="extent", also=("memory_len", "key_len"))
KEY_IN = Key("E_k", "kdim", default=(S("E"),))
VALUE_IN = Key("E_v", "vdim", default=(S("E"),))
_MODEL = ("d_model", "C_in", "in_channels", "in_features", "model_dim", "hidden_size", "dim")
MODEL = Key("E", "embed_dim", also=(*_MODEL, "C_out", "out_channels"))


def token(side: str) -> Axis:
    """The tokens that ask."""
    return axis("T", "t", "token", "out" if side == "out" else "in")


def _memory(side: str) -> Axis:
    """The tokens that are asked: in self-attention the same ones."""
    return axis("S", "s", "token", "out" if side == "out" else "in")


def feature(name: str, index: str, side: str, size: Term | None = None) -> Axis:
    """An axis of values of one token."""
    return axis(name, index, "feature", "out" if side == "out" else "in", size)


def per_token(tensor: Tensor, site: str = "T") -> Tensor:
    """Each token by itself, through the same weights."""
    tensor = tensor.diagonal(site) if tensor.inputs else tensor
    return tensor.shared_over(site)


@dataclass(frozen=True)
class Heads:
    """How wide a head is, for keys and for values, and how wide all are together where that is
    one letter; ``kv`` is how many heads keys and values have where these are not as many."""

    key: Term
    value: Term
    whole: Term | None
    kv: str = "all"

    def box(self, letter: str, side: str = "out") -> Box:
        """The axes of all heads: which head, and which of its values."""
        name, width = ("d_v", self.value) if letter in "vgo" else ("d_h", self.key)
        inner = feature(name, "d", side, width)
        if letter in "qgo" or self.kv == "all":
            return (head(side), inner)
        shared = axis("h_kv", "i", "head", "out")
        return (inner,) if self.kv == "one" else (shared, inner)

    def joined(self, tensor: Tensor, letter: str, side: str = "out") -> Tensor:
        """Heads side by side as one axis, where their widths multiply to one letter."""
        if self.whole is None or (letter in "kv" and self.kv != "all"):
            return tensor
        inner = "d_v" if letter in "vgo" else "d_h"
        return tensor.merged("h", inner, feature("heads", "e", side, self.whole))


def head(side: str) -> Axis:
    """The heads."""
    return axis("h", "i", "head", "out" if side == "out" else "in")


def _projection(heads: Heads, letter: str, source: str, reads: str) -> tuple[Tensor, Tensor]:
    """A dense map of each token into all heads, and its bias."""
    site = _memory if letter in "kv" else token
    out: Box = (site("out"), *heads.box(letter))
    made = weight(out, (site("in"), feature(source, "m", "in")), f"weight_{letter}", f"w_{letter}")
    pair = made, bias(out, f"bias_{letter}", f"b_{letter}")
    first, second = (
        heads.joined(per_token(tensor.reading(reads, letter), site("out").name), letter)
        for tensor in pair
    )
    return first, second


def _output(heads: Heads, width: Term) -> tuple[Tensor, Tensor]:
    """All heads' values of a token, mixed into the output."""
    out: Box = (token("out"), feature("E_out", "o", "out", width))
    mixed = weight(out, (token("in"), *heads.box("o", "in")), "weight_o", "w_o")
    return (
        heads.joined(per_token(mixed.reading("z")), "o", "in"),
        per_token(bias(out, "bias_o", "b_o")),
    )


def _scores(key: Term, value: Term, asked: Term) -> tuple[Tensor, Tensor]:
    """Scores and weighted values: maps whose entries are computed from the data.

    A score multiplies a query with a key; a weighted value adds values up by their scores.
    """
    memory = axis("S", "s", "token", "out", asked)
    inner: Box = (token("in"), head("in"), feature("d_h", "d", "in", key))
    scores = weight((token("out"), head("out"), memory), inner, "scores", "k")
    out: Box = (token("out"), head("out"), feature("d_v", "d", "out", value))
    summed = weight(out, (memory.on("in"), head("in"), feature("d_v", "d", "in", value)),
                    "values", "a")  # fmt: skip
    return (
        _computed(scores.diagonal("T", "h").shared_over("T").reading("q", "a")),
        _computed(summed.diagonal("h", "d_v").shared_over("d_v").reading("v", "z")),
    )


def _computed(tensor: Tensor) -> Tensor:
    return tensor.selected().of_kind("dynamic")


def _extra_token(heads: Heads, letter: str) -> Tensor:
    """A learned key or value beside those of the tokens."""
    box: Box = heads.box(letter)
    made = Tensor(f"extra_{letter}", f"c_{letter}", box)
    return heads.joined(made.reading("", f"c_{letter}").of_kind("table"), letter)


def _norm(heads: Heads, letter: str) -> Tensor:
    """A scale for each value of a head, the same for all heads and tokens."""
    site = token("out") if letter == "q" else _memory("out")
    out: Box = (site, *heads.box(letter))
    every = tuple(a.name for a in out[:-1])
    scale = weight(out, tuple(a.on("in") for a in out), f"norm_{letter}", f"n_{letter}")
    scale = scale.diagonal(*every, "d_h").shared_over(*every)
    return scale.reading(letter, letter + "'").of_kind("scale")


@functools.cache
def attention(
    kv: str = "all", cross: bool = False, per_head: bool = False, qkv: bool = False,
    projected: bool = False, extra: int = 0, bias_kv: bool = False, gate: bool = False,
    qk_norm: bool = False,
) -> Layer:  # fmt: skip
    """Queries, keys, values and the output map; the heads share out the model width.

    ``kv`` says how many heads keys and values have: ``all``, a ``group`` number, ``one``.  With
    ``per_head`` the width of a head is a size of its own (Keras), with ``qkv`` that of all
    heads together is (Flax); ``projected`` gives the output a width of its own.  ``extra``
    tokens are asked beside those given, learned ones with ``bias_kv``.
    """
    heads, out = _heads(kv, per_head, qkv), S("E_out") if projected else S("E")
    beside = (
        *(_projection(heads, "g", "E", "x") if gate else ()),
        *((_norm(heads, "q"), _norm(heads, "k")) if qk_norm else ()),
        *((_extra_token(heads, "k"), _extra_token(heads, "v")) if bias_kv else ()),
    )
    return Layer(
        id="cross_attention" if cross else _IDS[kv],
        family="attention",
        inputs=(token("in"), feature("E", "m", "in")),
        outputs=(token("out"), feature("E_out", "o", "out", out)),
        tensors=_attending(heads, "m" if cross else "x", beside, extra, out),
        keys=_keys(kv, per_head, qkv, projected),
        defines=_defines(per_head, qkv, projected, extra),
        requires=_requires(kv, heads.whole),
        options=(("kv", kv), ("cross", cross), ("per_head", per_head), ("qkv", qkv),
                 ("projected", projected), ("extra", extra), ("bias_kv", bias_kv),
                 ("gate", gate), ("qk_norm", qk_norm)),
        conventions=(("keras", (("per_head", ONE),)),),
    )  # fmt: skip


def _heads(kv: str, per_head: bool, qkv: bool) -> Heads:
    whole = None if per_head else S("A") if qkv else S("E")
    width = S("d_h") if whole is None else whole / S("h")
    return Heads(width, S("d_v") if per_head and kv == "all" else width, whole, kv)


def _attending(
    heads: Heads, memory: str, beside: tuple[Tensor, ...], extra: int, out: Term
) -> tuple[Tensor, ...]:
    """The projections, what is learned beside them, scores, and the output map."""
    return (
        *_projection(heads, "q", "E", "x"),
        *_projection(heads, "k", "E_k", memory),
        *_projection(heads, "v", "E_v", memory),
        *beside,
        *_scores(heads.key, heads.value, S("S") + extra if extra else S("S")),
        *_output(heads, out),
    )


_IDS = {"all": "multi_head_attention", "group": "grouped_query_attention",
        "one": "multi_query_attention"}  # fmt: skip


def _keys(kv: str, per_head: bool, qkv: bool, projected: bool) -> tuple[Key, ...]:
    kind = "size" if per_head else "derived"
    narrow = Key("d_h", "head_dim", kind=kind, option="per_head", also=("key_dim",))
    wide = Key("d_v", "value_dim", default=(S("d_h"),), option="per_head") if per_head else Key(
        "d_v", "value_dim", kind="derived", option="per_head")  # fmt: skip
    all_heads = Key("A", "qkv_features", kind="size" if qkv else "derived", option="qkv")
    out = Key("E_out", "out_features", kind="size" if projected else "derived",
              option="projected", also=("output_dim",))  # fmt: skip
    return (
        *((KV_HEADS,) if kv == "group" else ()), HEADS, MODEL, narrow,
        *((wide,) if kv == "all" else ()),
        *(() if per_head else (all_heads,)),
        KEY_IN, VALUE_IN, out, TOKENS, MEMORY, BIAS,
    )  # fmt: skip


def _defines(per_head: bool, qkv: bool, projected: bool, extra: int) -> tuple[Define, ...]:
    whole = S("A") if qkv else S("E")
    width = (Define("d_h", whole / S("h")), Define("d_v", whole / S("h")))
    return (
        *(() if per_head else width),
        *(() if qkv or per_head else (Define("A", S("E")),)),
        *(() if projected else (Define("E_out", S("E")),)),
        Define("S_all", S("S") + extra if extra else S("S")),
    )


def _requires(kv: str, whole: Term | None) -> tuple[Divides, ...]:
    own = () if whole is None else (Divides("h", "A" if whole == S("A") else "E"),)
    return (*own, Divides("h_kv", "h")) if kv == "group" else own


# --- latent, additive, multiplicative, windows --------------------------------------------------


def latent(q_rank: bool = True) -> Layer:
    """Attention whose keys and values are rebuilt from one thin vector of each token.

    That vector and, with ``q_rank``, the query's go through a map of small rank and a norm; a
    part of each key, of width d_r, carries the position and is the same for all heads.
    """
    sizes = (
        Key("r_kv", "kv_rank", also=("kv_lora_rank",)),
        Key("d_n", "nope_dim", also=("qk_nope_head_dim",)),
        Key("d_r", "rope_dim", also=("qk_rope_head_dim",)),
        Key("d_v", "value_dim", also=("v_head_dim",)),
    )
    rank = (Key("r_q", "q_rank", also=("q_lora_rank",)),) if q_rank else ()
    return Layer(
        id="latent_attention",
        family="attention",
        inputs=(token("in"), feature("E", "m", "in")),
        outputs=(token("out"), feature("E_out", "o", "out", S("E"))),
        tensors=_latent_tensors(q_rank),
        keys=(HEADS, MODEL, *rank, *sizes, TOKENS, MEMORY,
              Key("E_out", "out_features", kind="derived")),
        defines=(Define("E_out", S("E")),),
        options=(("q_rank", q_rank),),
    )  # fmt: skip


def _latent_tensors(q_rank: bool) -> tuple[Tensor, ...]:
    asked, narrow = S("d_n") + S("d_r"), S("d_n") + S("d_v")
    query = feature("r_q", "a", "in") if q_rank else feature("E", "m", "in")
    thin = (
        _mapped("weight_q_down", "w_a", (feature("r_q", "a", "out"),), "T", "E", "x", "c_q"),
        _scaled("norm_q", "n_a", "r_q", "T", "a", "c_q"),
    ) if q_rank else ()  # fmt: skip
    held = feature("c", "c", "out", S("r_kv") + S("d_r"))
    return (
        *thin,
        _into_heads("weight_q_up", "w_q", feature("d_qk", "d", "out", asked), "T", query, "q"),
        _mapped("weight_kv_down", "w_c", (held,), "S", "E", "x", "c_kv"),
        _scaled("norm_kv", "n_c", "r_kv", "S", "c", "c_kv"),
        _into_heads("weight_kv_up", "w_kv", feature("d_kv", "d", "out", narrow), "S",
                    feature("r_kv", "c", "in"), "k"),
        *_scores(asked, S("d_v"), S("S")),
        _output(Heads(asked, S("d_v"), None), S("E"))[0],
    )  # fmt: skip


def _site(name: str, side: str) -> Axis:
    return token(side) if name == "T" else _memory(side)


def _mapped(
    name: str, letter: str, out: Box, site: str, source: str, reads: str, writes: str
) -> Tensor:
    """A dense map of each token, without a bias."""
    made = weight((_site(site, "out"), *out), (_site(site, "in"), feature(source, "m", "in")),
                  name, letter)  # fmt: skip
    return per_token(made.reading(reads, writes), site)


def _into_heads(
    name: str, letter: str, width: Axis, site: str, source: Axis, writes: str
) -> Tensor:
    out: Box = (_site(site, "out"), head("out"), width)
    made = weight(out, (_site(site, "in"), source), name, letter)
    reads = {"r_q": "c_q'", "r_kv": "c_kv'"}.get(source.name, "x")
    return per_token(made.reading(reads, writes), site)


def _scaled(name: str, letter: str, width: str, site: str, index: str, values: str) -> Tensor:
    out: Box = (_site(site, "out"), feature(width, index, "out"))
    made = weight(out, tuple(a.on("in") for a in out), name, letter)
    made = made.diagonal(site, width).shared_over(site)
    return made.reading(values, values + "'").of_kind("scale")


QUERY_IN = Key("d_q", "query_dim", also=("C_in", "in_channels", "in_features"))
KEY_DIM = Key("d_k", "key_dim")
ASKING = Key("d_a", "attention_dim", also=("units", "hidden_size"))


def additive(projected: bool = True, scaled: bool = True) -> Layer:
    """A score is a learned vector times tanh of a query and a key added up.

    ``projected`` gives query and key each a matrix of its own (Bahdanau et al. 2015); Keras'
    layer has the vector only, and ``scaled=False`` has it fixed at ones.
    """
    width = S("d_a") if projected else S("E")
    both: Box = (token("out"), _memory("out"))
    inner: Box = (token("in"), _memory("in"), feature("d_a", "a", "in", width))
    vector = weight(both, inner, "weight_v", "v").diagonal("T", "S").shared_over("T", "S")
    vector = vector.reading("u", "s")
    maps = (
        _mapped("weight_q", "w_q", (feature("d_a", "a", "out"),), "T", "d_q", "x", "q"),
        _mapped("weight_k", "w_k", (feature("d_a", "a", "out"),), "S", "d_k", "m", "k"),
    ) if projected else ()  # fmt: skip
    value = S("d_k") if projected else S("E")
    size = (QUERY_IN, KEY_DIM, ASKING) if projected else (MODEL,)
    return Layer(
        id="additive_attention",
        family="attention",
        inputs=(token("in"), feature("d_q" if projected else "E", "m", "in")),
        outputs=(token("out"), feature(_end(value), "d", "out", value)),
        tensors=(*maps, vector if scaled else vector.fixed(ONE), _mixed(value)),
        keys=(*size, TOKENS, MEMORY, Key(_end(value), "out_features", kind="derived")),
        defines=(Define(_end(value), value),),
        options=(("projected", projected), ("scaled", scaled)),
    )


def _end(width: Term) -> str:
    """The output width's letter: the model width's, or that of the values."""
    return "E_out" if width == S("E") else "C_out"


def _mixed(width: Term) -> Tensor:
    """The values added up by their scores, of one head."""
    made = weight((token("out"), feature("d", "d", "out", width)),
                  (_memory("in"), feature("d", "d", "in", width)), "values", "a")  # fmt: skip
    return _computed(made.diagonal("d").shared_over("d").reading("v"))


def multiplicative(general: bool = False, scaled: bool = False, concat: bool = False) -> Layer:
    """A score is a query times a key, with nothing learned unless one of these is asked for:
    a matrix between them (``general``), a scale, or a weight of a tanh of both (``concat``).

    Source: Luong et al. 2015; ``keras.layers.Attention``.
    """
    width, value = (S("d_q"), S("d_k")) if general else (S("E"), S("E"))
    between = (_mapped("weight_k", "w_k", (feature("d_q", "a", "out"),), "S", "d_k", "m", "k"),)
    inner: Box = (token("in"), feature("d", "d", "in", width))
    scores = weight((token("out"), _memory("out")), inner, "scores", "k").diagonal("T")
    scores = _computed(scores.shared_over("T").reading("q", "s"))
    single = (*((_single("scale", "c"),) if scaled else ()),
              *((_single("concat", "v"),) if concat else ()))  # fmt: skip
    return Layer(
        id="dot_attention",
        family="attention",
        inputs=(token("in"), feature("d_q" if general else "E", "m", "in")),
        outputs=(token("out"), feature(_end(value), "d", "out", value)),
        tensors=(*(between if general else ()), scores, *single, _mixed(value)),
        keys=(*((QUERY_IN, KEY_DIM) if general else (MODEL,)), TOKENS, MEMORY,
              Key(_end(value), "out_features", kind="derived")),
        defines=(Define(_end(value), value),),
        options=(("general", general), ("scaled", scaled), ("concat", concat)),
    )  # fmt: skip


def _single(name: str, letter: str) -> Tensor:
    """One number for all scores."""
    both: Box = (token("out"), _memory("out"))
    made = weight(both, (token("in"), _memory("in")), name, letter).diagonal("T", "S")
    return made.shared_over("T", "S").reading("s", "s'").of_kind("scale")


def windowed(bias_table: bool = True) -> Layer:
    """Attention inside windows of M by M tokens, with a learned number for every head and
    relative position of two tokens of a window.

    The table is a full map between positions, re-indexed, padded and shared: (2M - 1)^2 h.
    """
    heads = Heads(S("E") / S("h"), S("E") / S("h"), S("E"))
    inside = S("M") * S("M")
    tensors = (
        *(t for letter in "qkv" for t in _in_window(heads, letter)),
        *((_relative(),) if bias_table else ()),
        *_scores(heads.key, heads.value, inside),
        *_output(heads, S("E")),
    )
    return Layer(
        id="window_attention",
        family="attention",
        inputs=(token("in"), feature("E", "m", "in")),
        outputs=(token("out"), feature("E_out", "o", "out", S("E"))),
        tensors=tensors,
        keys=(HEADS, MODEL, Key("M", "window_size", least=1), TOKENS, BIAS,
              Key("E_out", "out_features", kind="derived")),
        defines=(Define("E_out", S("E")),),
        requires=(Divides("h", "E"),),
        options=(("bias_table", bias_table),),
    )  # fmt: skip


def _in_window(heads: Heads, letter: str) -> tuple[Tensor, Tensor]:
    out: Box = (token("out"), *heads.box(letter))
    made = weight(out, (token("in"), feature("E", "m", "in")), f"weight_{letter}", f"w_{letter}")
    first, second = (
        heads.joined(per_token(tensor.reading("x", letter)), letter)
        for tensor in (made, bias(out, f"bias_{letter}", f"b_{letter}"))
    )
    return first, second


def _relative() -> Tensor:
    """A number for every head and every offset of two positions in a window."""
    sides = S("M")
    out: Box = (head("out"), Axis("p", "p", "position", "out", sides, "p"),
                Axis("q", "q", "position", "out", sides, "q"))  # fmt: skip
    inputs: Box = (Axis("u", "u", "position", "in", sides, "p"),
                   Axis("v", "v", "position", "in", sides, "q"))  # fmt: skip
    table = weight(out, inputs, "table", "r").relative("p", "q").shared_over("p", "q")
    return table.reading("", "r").of_kind("table")


LAYERS: Mapping[str, Build] = {
    "multi_head_attention": functools.partial(attention, "all"),
    "cross_attention": functools.partial(attention, cross=True),
    "grouped_query_attention": functools.partial(attention, "group"),
    "multi_query_attention": functools.partial(attention, "one"),
    "latent_attention": latent,
    "additive_attention": additive,
    "dot_attention": multiplicative,
    "window_attention": windowed,
}
