"""Random calls of Keras' classes, a generator each."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

from oracle_draw import (
    RANKS,
    Config,
    Draw,
    Drawn,
    Generator,
    plain,
    room,
    spread,
    tokens,
    windows,
)

P = functools.partial


def dense(draw: Draw) -> Drawn:
    config = {"units": draw.width()}
    config |= draw.some(use_bias=draw.flag(), activation="relu", lora_rank=draw.randint(1, 4))
    return config, [2, *draw.lead(), draw.width()]


def placed(draw: Draw, wide: int, size: Sequence[int]) -> tuple[Config, list[int]]:
    """A data format, and an input's shape in it."""
    held = draw.choice([None, "channels_last", "channels_first"])
    shape = [2, wide, *size] if held == "channels_first" else [2, *size, wide]
    return ({} if held is None else {"data_format": held}), shape


def strided(draw: Draw, rank: int, alike: bool = False) -> Config:
    """A window's arguments; strides and dilation are not both above one."""
    several = draw.randint(1, 3) if alike else draw.per_axis(rank, 1, 3)
    config = {"kernel_size": draw.per_axis(rank, 1, 4)}
    config |= draw.some(**draw.choice([{"strides": several},
                                       {"dilation_rate": draw.per_axis(rank, 1, 3)}]))  # fmt: skip
    return config


def k_conv(draw: Draw, rank: int) -> Drawn:
    groups = draw.choice([1, 1, 2, 3])
    config = {"filters": groups * draw.width(8), "groups": groups, **strided(draw, rank)}
    pads = ["valid", "same", *["causal"] * (rank == 1)]
    config |= draw.some(padding=draw.choice(pads), use_bias=draw.flag())
    least = windows(config, rank, "kernel_size", "dilation_rate")
    where, shape = placed(draw, groups * draw.width(8), room(draw, least))
    if config.get("padding") == "causal" and "data_format" in where:
        del config["padding"]
    return config | where, shape


def k_conv_transpose(draw: Draw, rank: int) -> Drawn:
    config = {"filters": draw.width(8), **strided(draw, rank)}
    config |= draw.some(padding=draw.choice(["valid", "same"]), use_bias=draw.flag())
    strides = spread(config.get("strides", 1), rank)
    if draw.random() < 0.3 and min(strides) > 1:
        config["output_padding"] = tuple(draw.randrange(s) for s in strides)
    where, shape = placed(draw, draw.width(8), room(draw, [3] * rank))
    return config | where, shape


def depthwise(draw: Draw, rank: int, separable: bool = False) -> Drawn:
    config = strided(draw, rank, alike=True)
    config |= {"filters": draw.width(8)} if separable else {}
    config |= draw.some(padding=draw.choice(["valid", "same"]), use_bias=draw.flag(),
                        depth_multiplier=draw.randint(1, 3))  # fmt: skip
    least = windows(config, rank, "kernel_size", "dilation_rate")
    where, shape = placed(draw, draw.width(8), room(draw, least))
    return config | where, shape


def k_pool(draw: Draw, rank: int) -> Drawn:
    config = {"pool_size": draw.per_axis(rank, 1, 4)}
    config |= draw.some(strides=draw.per_axis(rank, 1, 3), padding=draw.choice(["valid", "same"]))
    where, shape = placed(draw, draw.width(8), room(draw, spread(config["pool_size"], rank)))
    return config | where, shape


def global_pool(draw: Draw, rank: int) -> Drawn:
    where, shape = placed(draw, draw.width(), room(draw, [2] * rank))
    return where | draw.some(keepdims=draw.flag()), shape


def k_adaptive(draw: Draw, rank: int) -> Drawn:
    where, shape = placed(draw, draw.width(8), room(draw, [4] * rank))
    return {"output_size": draw.per_axis(rank, 1, 4), **where}, shape


def k_upsample(draw: Draw, rank: int) -> Drawn:
    where, shape = placed(draw, draw.width(8), room(draw, [2] * rank))
    if rank == 1:
        return draw.some(size=draw.randint(1, 3)), [2, draw.randint(1, 6), draw.width()]
    if rank == 2:
        where |= draw.some(interpolation=draw.choice(["nearest", "bilinear"]))
    return where | draw.some(size=draw.per_axis(rank, 1, 3)), shape


def k_edges(draw: Draw, rank: int, name: str) -> Drawn:
    """Zero padding or cropping: one number, one for each axis, or two."""
    pairs = tuple((draw.randint(0, 2), draw.randint(0, 2)) for _ in range(rank))
    if rank == 1:
        chosen = draw.choice([draw.randint(0, 2), pairs[0]])
    else:
        chosen = draw.choice([draw.per_axis(rank, 0, 2), pairs])
    where, shape = placed(draw, draw.width(8), room(draw, [5] * rank))
    if rank == 1 and name == "cropping":
        where, shape = {}, [2, draw.randint(5, 9), draw.width()]
    return where | draw.some(**{name: chosen}), shape


def k_flatten(draw: Draw) -> Drawn:
    shape = draw.shape(3, 5)
    return draw.some(data_format=draw.choice(["channels_last", "channels_first"])), shape


K_CELLS = ("SimpleRNN", "LSTM", "GRU")


def k_cell_config(draw: Draw, kind: str) -> Config:
    config = {"units": draw.width(12), **draw.some(use_bias=draw.flag(), dropout=0.1)}
    config |= draw.some(reset_after=draw.flag()) if kind == "GRU" else {}
    return config | (draw.some(unit_forget_bias=draw.flag()) if kind == "LSTM" else {})


def k_recurrent(draw: Draw, kind: str) -> Drawn:
    config = k_cell_config(draw, kind) | k_steps(draw)
    return config, [2, draw.randint(1, 5), draw.width(12)]


def k_steps(draw: Draw) -> Config:
    return draw.some(return_sequences=draw.flag(), return_state=draw.flag(),
                     go_backwards=draw.flag())  # fmt: skip


def k_cell(draw: Draw, kind: str) -> Drawn:
    return k_cell_config(draw, kind), [2, draw.width(12)]


def conv_lstm(draw: Draw, rank: int) -> Drawn:
    config = {"filters": draw.width(5), **strided(draw, rank, alike=True)}
    config |= draw.some(padding=draw.choice(["valid", "same"]), use_bias=draw.flag())
    config |= k_steps(draw)
    least = windows(config, rank, "kernel_size", "dilation_rate")
    where, (batch, *rest) = placed(draw, draw.width(5), room(draw, least))
    return config | where, [batch, draw.randint(1, 3), *rest]


def stacked(draw: Draw) -> Drawn:
    kinds = [draw.choice(K_CELLS) for _ in range(draw.randint(1, 3))]
    cells = [{"class_name": f"{k}Cell", "config": k_cell_config(draw, k)} for k in kinds]
    config = {"cell": draw.choice([cells, cells[0]])}
    config |= draw.some(return_sequences=draw.flag())
    return config, [2, draw.randint(1, 5), draw.width(12)]


def both_ways(draw: Draw) -> Drawn:
    kind = draw.choice(K_CELLS)
    inner = k_cell_config(draw, kind) | draw.some(return_sequences=draw.flag())
    merge = draw.choice(["concat", "sum", "mul", "ave", None])
    config = {"layer": {"class_name": kind, "config": inner}, **draw.some(merge_mode=merge)}
    return config, [2, draw.randint(1, 5), draw.width(12)]


def every_step(draw: Draw) -> Drawn:
    kind = draw.choice(["Dense", "Conv1D", "Conv2D", "DepthwiseConv2D", "LSTM", "GRU",
                        "LayerNormalization", "BatchNormalization", "MaxPooling2D", "Flatten",
                        "EinsumDense", "Embedding"])  # fmt: skip
    inner, (batch, *rest) = KERAS[kind](draw)
    inner.pop("return_state", None)
    made = {"class_name": kind, "config": inner}
    return {"layer": made}, [batch, draw.randint(1, 3), *(rest or [2])]  # never bare steps


def k_batch_norm(draw: Draw) -> Drawn:
    shape = draw.shape(2, 5)
    ends = [-1, 1, len(shape) - 1]
    config = draw.some(center=draw.flag(), scale=draw.flag(), axis=draw.choice(ends))
    return config | draw.some(renorm=draw.flag()), shape


def k_axes_normed(draw: Draw, both: bool) -> Drawn:
    """Normalised over the last axis or several: the backend calls no others."""
    shape = draw.shape(2, 4)
    many = draw.randint(1, len(shape) - 1)
    axes = tuple(range(-many, 0))
    config = draw.some(axis=draw.choice([axes, axes[-1], len(shape) - 1]))
    return config | (draw.some(center=draw.flag(), scale=draw.flag()) if both else {}), shape


def k_group_norm(draw: Draw) -> Drawn:
    groups, shape, at = draw.randint(1, 4), draw.shape(3, 5), draw.choice([-1, 1])
    shape[at] = groups * draw.width(6)
    config = {"groups": draw.choice([groups, groups, -1]), **({"axis": 1} if at == 1 else {})}
    return config | draw.some(center=draw.flag(), scale=draw.flag()), shape


def feature_norm(draw: Draw) -> Drawn:
    shape = draw.shape(2, 4)
    return draw.some(axis=draw.choice([-1, len(shape) - 1]), invert=draw.flag()), shape


def k_prelu(draw: Draw) -> Drawn:
    shape = draw.shape(2, 5)
    axes = draw.sample(range(1, len(shape)), draw.randint(1, len(shape) - 1))
    return draw.some(shared_axes=sorted(axes)), shape


def k_embedding(draw: Draw, reversible: bool = False) -> Drawn:
    config = {"input_dim": draw.width(90), "output_dim": draw.width()}
    config |= draw.some(mask_zero=draw.flag())
    if reversible:
        config |= draw.some(tie_weights=draw.flag())
    else:
        config |= draw.some(lora_rank=draw.randint(1, 4))
    return config, draw.shape(1, 3)


def spectral(draw: Draw) -> Drawn:
    kind = draw.choice(["Dense", "Conv1D", "Conv2D", "Conv3D"])
    inner, shape = KERAS[kind](draw)
    inner.pop("lora_rank", None)
    config = {"layer": {"class_name": kind, "config": inner}}
    return config | draw.some(power_iterations=draw.randint(1, 3)), shape


def k_attention(draw: Draw) -> Drawn:
    heads, wide = draw.randint(1, 4), draw.width(12)
    config = {"num_heads": heads, "key_dim": draw.width(8)}
    config |= draw.some(value_dim=draw.width(8), use_bias=draw.flag(), use_gate=draw.flag(),
                        output_shape=draw.choice([draw.width(), (draw.width(),)]))  # fmt: skip
    widths = (wide, draw.width(), draw.width())[: draw.randint(2, 3)]
    return config, tokens(draw, True, widths, alike=(1, 2))


def grouped_attention(draw: Draw) -> Drawn:
    shared, wide = draw.randint(1, 3), draw.width(12)
    config = {"head_dim": draw.width(8), "num_query_heads": shared * draw.randint(1, 3),
              "num_key_value_heads": shared}  # fmt: skip
    config |= draw.some(use_bias=draw.flag(), use_gate=draw.flag())
    widths = (wide, wide, draw.width())[: draw.randint(2, 3)]
    return config, tokens(draw, True, widths, alike=(1, 2))


def asked(draw: Draw, additive: bool) -> Drawn:
    widths = [draw.width()] * draw.randint(2, 3)
    config = draw.some(use_scale=draw.flag())
    config |= {} if additive else draw.some(score_mode=draw.choice(["dot", "concat"]))
    return config, tokens(draw, True, widths, alike=(1, 2))


EQUATIONS = {  # an equation: its input's letters, its own, its output's but the first
    "ab,bc->ac": ("ab", "c"), "abc,cd->abd": ("abc", "bd"), "abc,cde->abde": ("abc", "bde"),
    "abcd,cde->abe": ("abcd", "be"), "abc,bd->adc": ("abc", "dc"), "abc,bcd->ad": ("abc", "d"),
    "...x,xy->...y": ("abx", "y"), "abc,bcde->ade": ("abc", "de"), "abc,c->abc": ("abc", "bc"),
}  # fmt: skip


def einsum(draw: Draw) -> Drawn:
    equation = draw.choice(list(EQUATIONS))
    into, out = EQUATIONS[equation]
    sizes = {letter: draw.width(8) for letter in "abcdexy"}
    kernel = equation.split(",")[1].split("->")[0]
    config: Config = {"equation": equation, "output_shape": tuple(sizes[one] for one in out)}
    free = [one for one in out if one in kernel]
    config |= draw.some(bias_axes="".join(draw.sample(free, draw.randint(1, len(free)))))
    if "bias_axes" in config:
        config["bias_axes"] = "".join(one for one in out if one in config["bias_axes"])
    return config, [sizes[letter] for letter in into]


def reshaped(draw: Draw) -> Drawn:
    parts = draw.shape(2, 3)
    target = list(draw.choice([parts, [math.prod(parts)], [1, *parts]]))
    if draw.flag():
        target[draw.randrange(len(target))] = -1
    return {"target_shape": tuple(target)}, [2, *parts]


def permuted(draw: Draw) -> Drawn:
    shape = draw.shape(3, 5)
    order = list(range(1, len(shape)))
    draw.shuffle(order)
    return {"dims": tuple(order)}, shape


def merged(draw: Draw, most: int = 3) -> Drawn:
    return {}, [draw.shape(2, 4)] * draw.randint(2, most)


def concatenated(draw: Draw) -> Drawn:
    shape, many = draw.shape(2, 4), draw.randint(2, 3)
    at = draw.randrange(1, len(shape))
    shapes = [[*shape[:at], draw.randint(1, 6), *shape[at + 1 :]] for _ in range(many)]
    return {"axis": draw.choice([at, at - len(shape)])}, shapes


def dropped(draw: Draw, rank: int) -> Drawn:
    where, shape = placed(draw, draw.width(), room(draw, [2] * rank))
    if rank == 1:
        where, shape = {}, draw.shape(3, 3)
    return {"rate": 0.3, **where}, shape


KERAS: dict[str, Generator] = {
    "Dense": dense,
    "EinsumDense": einsum,
    "Flatten": k_flatten,
    "Identity": plain,
    "Activation": P(plain, must={"activation": "gelu"}),
    "ReLU": P(plain, max_value=6.0, negative_slope=0.1, threshold=0.1),
    "LeakyReLU": P(plain, negative_slope=0.1),
    "ELU": P(plain, alpha=0.5),
    "Softmax": P(plain, axis=-1),
    "Masking": P(plain, least=3, mask_value=1.0),
    **{name: P(plain, must={"rate": 0.2}, seed=1)
       for name in ("Dropout", "AlphaDropout", "GaussianDropout")},
    "GaussianNoise": P(plain, must={"stddev": 0.2}, seed=1),
    **{name: P(k_recurrent, kind=name) for name in K_CELLS},
    **{f"{name}Cell": P(k_cell, kind=name) for name in K_CELLS},
    "RNN": stacked,
    "Bidirectional": both_ways,
    "TimeDistributed": every_step,
    "BatchNormalization": k_batch_norm,
    "LayerNormalization": P(k_axes_normed, both=True),
    "RMSNormalization": P(k_axes_normed, both=False),
    "GroupNormalization": k_group_norm,
    "UnitNormalization": P(plain, axis=-1),
    "Normalization": feature_norm,
    "PReLU": k_prelu,
    "Embedding": k_embedding,
    "ReversibleEmbedding": P(k_embedding, reversible=True),
    "SpectralNormalization": spectral,
    "MultiHeadAttention": k_attention,
    "GroupQueryAttention": grouped_attention,
    "Attention": P(asked, additive=False),
    "AdditiveAttention": P(asked, additive=True),
    "Reshape": reshaped,
    "Permute": permuted,
    "RepeatVector": lambda d: ({"n": d.randint(1, 6)}, d.shape(2, 2)),
    "Concatenate": concatenated,
    "Subtract": P(merged, most=2),
    **dict.fromkeys(("Add", "Multiply", "Average", "Maximum", "Minimum"), merged),
    **{name.format(n): made for n in RANKS for name, made in {
        "Conv{}D": P(k_conv, rank=n),
        "Convolution{}D": P(k_conv, rank=n),
        "Conv{}DTranspose": P(k_conv_transpose, rank=n),
        "Convolution{}DTranspose": P(k_conv_transpose, rank=n),
        **dict.fromkeys(("MaxPooling{}D", "MaxPool{}D", "AveragePooling{}D", "AvgPool{}D"),
                        P(k_pool, rank=n)),
        **dict.fromkeys(("GlobalMaxPooling{}D", "GlobalMaxPool{}D", "GlobalAveragePooling{}D",
                         "GlobalAvgPool{}D"), P(global_pool, rank=n)),
        "AdaptiveMaxPooling{}D": P(k_adaptive, rank=n),
        "AdaptiveAveragePooling{}D": P(k_adaptive, rank=n),
        "UpSampling{}D": P(k_upsample, rank=n),
        "ZeroPadding{}D": P(k_edges, rank=n, name="padding"),
        "Cropping{}D": P(k_edges, rank=n, name="cropping"),
        "SpatialDropout{}D": P(dropped, rank=n),
        "ConvLSTM{}D": P(conv_lstm, rank=n),
    }.items()},
    **{name.format(n): made for n in (1, 2) for name, made in {
        "DepthwiseConv{}D": P(depthwise, rank=n),
        "SeparableConv{}D": P(depthwise, rank=n, separable=True),
        "SeparableConvolution{}D": P(depthwise, rank=n, separable=True),
    }.items()},
}  # fmt: skip
