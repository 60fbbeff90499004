"""Embeddings: a table with a row for each index; a token reads one row, as a dense layer would on
a one-hot vector.  Positions, patches and relative offsets are such tables too.

Source: Bengio et al. 2003 (words); Vaswani et al. 2017 (sinusoids); Su et al. 2021 (rotary);
Raffel et al. 2020 (buckets); Liu et al. 2021 (relative table); Dosovitskiy et al. 2021 (patches).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..axes import Axis, Box, axes, axis
from ..calculus import Tie
from ..declaration import Build, Define, Divides, Key, Layer, Tensor, bias, part, weight
from ..terms import ONE, Num, S
from . import keys
from .dense import RANK
from .keys import BIAS, C_IN, C_OUT, SPACE, outs

ROWS = Key("V", "num_embeddings", also=("vocab_size", "input_dim", "vocabulary_size"))
WIDTH = Key(
    "d", "embedding_dim",
    also=("output_dim", "features", "d_model", "C_out", "hidden_size", "units"),
)  # fmt: skip
TYPES = Key("V", "type_vocab_size", default=(Num(2),), kind="modifier", also=("num_embeddings",))
LENGTH = Key("T_max", "max_len", also=("max_position_embeddings", "sequence_length",
                                       "num_embeddings", "block_size"))  # fmt: skip
TOKENS = Key("T", "seq_len", kind="extent", also=("tokens", "input_length"))
SOURCES = Key("S", "source_len", kind="extent")
HEADS = Key("h", "num_heads", also=("heads",))
BUCKETS = Key("n", "num_buckets", also=("relative_attention_num_buckets", "buckets"))
WINDOW = Key("M", "window_size", ("M_h", "M_w"))
PATCH = Key("k", "patch_size", ("k_h", "k_w"), also=("kernel_size",))
IMAGE = (Key("H", "height", kind="extent"), Key("W", "width", kind="extent"))


def _tokens(lead: int, side: str = "out") -> Box:
    if lead == 1:
        return (axis("T", "t", "token", "in" if side == "in" else "out"),)
    return axes(" ".join(f"T_{i + 1}" for i in range(lead)), "in" if side == "in" else "out")


def _width(side: str = "out") -> Axis:
    return axis("d", "j", "feature", "in" if side == "in" else "out")


def _table(out: Box, inputs: Box, name: str, letter: str, kind: str = "table") -> Tensor:
    """A row read at every site: one-hot inputs times the table, shared over the sites."""
    sites = tuple(one.name for one in out if one.role in ("token", "lead"))
    one = weight(out, inputs, name, letter).of_kind(kind)
    return one.diagonal(*sites).shared_over(*sites) if sites else one


def _extents(box: Box) -> tuple[Key, ...]:
    """The sizes of the sites."""
    return tuple(
        TOKENS if one.name == "T" else Key(one.name, one.name, kind="extent")
        for one in box
        if one.role in ("token", "lead")
    )


def embedding(lead: int = 1, lora: bool = False) -> Layer:
    """A vector for each of V indices; with ``lora`` the table is frozen and a product of two thin
    ones is learned beside it (Hu et al. 2021)."""
    return _embedding("embedding", ROWS, lead, lora)


def token_type_embedding(lead: int = 1) -> Layer:
    """A vector for each kind of token: the first sentence, the second (Devlin et al. 2019)."""
    return _embedding("token_type_embedding", TYPES, lead)


def _embedding(identity: str, rows: Key, lead: int, lora: bool = False) -> Layer:
    sites, facing = _tokens(lead), _tokens(lead, "in")
    out, hot = (*sites, _width()), (*facing, axis("V", "v", "feature", "in"))
    table = _table(out, hot, "weight", "E")
    thin: tuple[Tensor, ...] = ()
    if lora:
        table = table.frozen()
        rank = axis("r", "r", "rank", "out")
        thin = (
            _table((*sites, rank), hot, "lora_a", "A"),
            _table(out, (*facing, rank.on("in")), "lora_b", "B", "weight"),
        )
    options: tuple[tuple[str, object], ...] = (("lead", lead),)
    return Layer(
        id=identity,
        family=identity,
        inputs=facing,
        outputs=out,
        tensors=(table, *thin),
        keys=(rows, WIDTH, *((RANK,) if lora else ()), *_extents(out)),
        options=(*options, ("lora", lora)) if identity == "embedding" else options,
    )


def embedding_bag() -> Layer:
    """The rows of all tokens of a bag, added up or averaged."""
    table = weight((_width(),), (*_tokens(1, "in"), axis("V", "v", "feature", "in")), "weight", "E")
    return Layer(
        id="embedding_bag",
        family="embedding_bag",
        inputs=_tokens(1, "in"),
        outputs=(_width(),),
        tensors=(table.shared_over("T", summed=True).of_kind("table"),),
        keys=(ROWS, WIDTH, TOKENS),
    )


def reversible_embedding(lead: int = 1, tied: bool = True) -> Layer:
    """An embedding that is also read backwards, from a vector to a score for each index: with the
    same table (Press & Wolf 2017), or with one of its own."""
    one = embedding(lead)
    scores = (*_tokens(lead), axis("V", "v", "feature", "out"))
    back = _table(scores, (*_tokens(lead, "in"), _width("in")), "reverse", "R")
    if tied:
        back = replace(back, rules=(*back.rules, Tie("weight")))
    return replace(
        one,
        id="reversible_embedding",
        family="reversible_embedding",
        tensors=(*one.tensors, back),
        options=(("lead", lead), ("tied", tied)),
    )


def learned_positions(lead: int = 1) -> Layer:
    """A vector for each place up to the longest sequence; shorter ones read the first rows."""
    out = (*_tokens(lead), _width())
    hot = (*_tokens(lead, "in"), axis("T_max", "m", "token", "in"))
    return Layer(
        id="learned_positions",
        family="learned_positions",
        inputs=_facing(out),
        outputs=out,
        tensors=(_table(out, hot, "weight", "P"),),
        keys=(LENGTH, WIDTH, *_extents(out)),
        options=(("lead", lead),),
    )


def _facing(box: Box) -> Box:
    return tuple(one.on("in") for one in box)


def _fixed_positions(identity: str, table: Tensor, rows: Box) -> Layer:
    return Layer(
        id=identity,
        family=identity,
        inputs=_facing(rows),
        outputs=rows,
        tensors=(table.fixed(),),
        keys=(WIDTH, TOKENS),
    )


def sinusoidal_positions() -> Layer:
    """Sines and cosines of the place, added: constants."""
    out = (*_tokens(1), _width())
    table = bias(out, "table", "P", when="").of_kind("weight")
    return _fixed_positions("sinusoidal_positions", table, out)


def rotary_positions() -> Layer:
    """Each token's features turned by angles that follow from its place: a fixed matrix for each
    token."""
    out = (*_tokens(1), _width())
    turn = weight(out, _facing(out), "turn", "R").diagonal("T")
    return _fixed_positions("rotary_positions", turn, out)


def relative_buckets() -> Layer:
    """A score added for each head and each bucket of distances between two tokens (T5)."""
    pair = (axis("T", "t", "token", "out"), axis("S", "s", "token", "out"))
    out = (*pair, axis("h", "h", "head", "out"))
    hot = (*_facing(pair), axis("n", "n", "feature", "in"))
    return Layer(
        id="relative_buckets",
        family="relative_buckets",
        inputs=_facing(pair),
        outputs=out,
        tensors=(_table(out, hot, "weight", "B"),),
        keys=(BUCKETS, HEADS, TOKENS, SOURCES),
    )


def relative_table() -> Layer:
    """A score added for each head and each offset between two positions of a window (Swin): local
    to the window, shared over the position it is seen from."""
    sites = (axis("M_h", "p", "position", "out"), axis("M_w", "q", "position", "out"))
    seen = (axis("M_h", "u", "position", "in"), axis("M_w", "v", "position", "in"))
    out = (axis("h", "h", "head", "out"), *sites)
    table = weight(out, seen, "weight", "B").relative("M_h", "M_w").shared_over("M_h", "M_w")
    return Layer(
        id="relative_table",
        family="relative_table",
        inputs=seen,
        outputs=out,
        tensors=(table.of_kind("table"),),
        keys=(WINDOW, HEADS),
    )


def class_token() -> Layer:
    """Learned vectors put before the tokens: a class token, registers, a prompt."""
    count = Key("n", "num_tokens", default=(ONE,), kind="modifier")
    own = (axis("n", "n", "feature", "out"), _width())
    out = (axis("T_out", "t", "token", "out"), _width())
    return Layer(
        id="class_token",
        family="class_token",
        inputs=(*_tokens(1, "in"), _width("in")),
        outputs=out,
        tensors=(Tensor("weight", "e", own, kind="table"),),
        keys=(WIDTH, count, TOKENS, Key("T_out", "out_tokens", kind="derived")),
        defines=(Define("T_out", S("T") + S("n")),),
    )


def patch_embedding() -> Layer:
    """An image cut into patches and each mapped to a vector by the same weights: a convolution
    whose stride is its kernel."""
    space = SPACE[2]
    inputs, outputs = " ".join(("C_in", *space)), " ".join(("C_out", *outs(space)))
    table = weight(outputs, inputs).windowed(H="k_h", W="k_w").shared_over(*outs(space))
    return Layer(
        id="patch_embedding",
        family="patch_embedding",
        inputs=axes(inputs, "in"),
        outputs=axes(outputs, "out"),
        tensors=(table, bias(outputs).shared_over(*outs(space))),
        keys=(
            C_IN, replace(C_OUT, also=(*C_OUT.also, "embed_dim", "hidden_size")), PATCH,
            *keys.extents(space), keys.stride(space, window=True), *keys.padding(space, "number"),
            keys.dilation(space), BIAS,
        ),
        defines=keys.window_sizes(space, "number"),
    )  # fmt: skip


def image_tokens() -> Layer:
    """Patches, a class token and learned positions, as a vision transformer reads an image: the
    size of the image drops out of the patches and comes back in the positions."""
    rows, columns = S("H") / S("k"), S("W") / S("k")
    tokens = rows * columns + ONE
    width = _width()
    return Layer(
        id="image_tokens",
        family="image_tokens",
        inputs=axes("C_in H W", "in"),
        outputs=(axis("T_out", "t", "token", "out"), width),
        parts=(
            part("patches", patch_embedding(), C_in=S("C_in"), C_out=S("d"), k_h=S("k"),
                 k_w=S("k"), H=S("H"), W=S("W"), b=S("b")),
            part("cls", class_token(), d=S("d"), T=rows * columns),
            part("positions", learned_positions(), T_max=tokens, d=S("d"), T=tokens),
        ),
        keys=(C_IN, WIDTH, replace(PATCH, parts=()), *IMAGE, BIAS,
              Key("T_out", "out_tokens", kind="derived")),
        defines=(Define("T_out", tokens),),
        requires=(Divides("k", "H"), Divides("k", "W")),
    )  # fmt: skip


LAYERS: Mapping[str, Build] = {
    "embedding": embedding,
    "embedding_bag": embedding_bag,
    "token_type_embedding": token_type_embedding,
    "reversible_embedding": reversible_embedding,
    "learned_positions": learned_positions,
    "sinusoidal_positions": sinusoidal_positions,
    "rotary_positions": rotary_positions,
    "relative_buckets": relative_buckets,
    "relative_table": relative_table,
    "class_token": class_token,
    "patch_embedding": patch_embedding,
    "image_tokens": image_tokens,
}
