"""Random calls of PyTorch's classes, a generator each."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

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


def linear(draw: Draw, lazy: bool = False) -> Drawn:
    wide = draw.width(300)
    config = {"in_features": wide, "out_features": draw.width(300), **draw.some(bias=draw.flag())}
    return without(config, "in_features", lazy), [2, *draw.lead(), wide]


def without(config: Config, name: str, lazy: bool) -> Config:
    return {key: value for key, value in config.items() if not (lazy and key == name)}


def conv(draw: Draw, rank: int, lazy: bool = False) -> Drawn:
    groups = draw.choice([1, 1, 2, 3])
    wide = groups * draw.width(12)
    config = {
        "in_channels": wide, "out_channels": groups * draw.width(12),
        "kernel_size": draw.per_axis(rank, 1, 5), "groups": groups,
        **draw.some(stride=draw.per_axis(rank, 1, 3), dilation=draw.per_axis(rank, 1, 3),
                    bias=draw.flag()),
    }  # fmt: skip
    unstrided = set(spread(config.get("stride", 1), rank)) == {1}
    pads = [draw.per_axis(rank, 0, 3), "valid", *["same"] * unstrided]
    modes = ["zeros", "reflect", "replicate", "circular"]
    config |= draw.some(padding=draw.choice(pads), padding_mode=draw.choice(modes))
    least = [max(size, 4) for size in windows(config, rank, "kernel_size", "dilation")]
    return without(config, "in_channels", lazy), [2, wide, *room(draw, least)]


def conv_transpose(draw: Draw, rank: int, lazy: bool = False) -> Drawn:
    groups = draw.choice([1, 1, 2, 3])
    wide = groups * draw.width(12)
    config = {
        "in_channels": wide, "out_channels": groups * draw.width(12),
        "kernel_size": draw.per_axis(rank, 1, 5), "groups": groups,
        **draw.some(stride=draw.per_axis(rank, 1, 4), dilation=draw.per_axis(rank, 1, 3),
                    bias=draw.flag(), padding=draw.per_axis(rank, 0, 2)),
    }  # fmt: skip
    strides = spread(config.get("stride", 1), rank)
    steps = spread(config.get("dilation", 1), rank)
    extra = [draw.randint(0, max(s, d) - 1) for s, d in zip(strides, steps, strict=True)]
    config |= draw.some(output_padding=tuple(extra))
    return without(config, "in_channels", lazy), [2, wide, *room(draw, [5] * rank)]


def pool(draw: Draw, rank: int, kind: str) -> Drawn:
    kernels = tuple(draw.randint(2, 5) for _ in range(rank))
    single = draw.flag() or (kind, rank) == ("LP", 1)
    config: Config = {"kernel_size": kernels[0] if single else kernels}
    config |= draw.some(stride=draw.per_axis(rank, 1, 4), ceil_mode=draw.flag())
    pads = tuple(draw.randint(0, k // 2) for k in spread(config["kernel_size"], rank))
    if kind == "Max":
        config |= draw.some(padding=pads, dilation=draw.per_axis(rank, 1, 2))
    elif kind == "Avg":
        config |= draw.some(padding=pads, count_include_pad=draw.flag())
        config |= draw.some(divisor_override=3) if rank > 1 else {}
    else:
        config["norm_type"] = draw.choice([1, 2, 3.0])
    least = windows(config, rank, "kernel_size", "dilation")
    return config, [2, draw.width(), *room(draw, least)]


def adaptive_pool(draw: Draw, rank: int) -> Drawn:
    sizes = tuple(draw.choice([None, draw.randint(1, 7)]) for _ in range(rank))
    chosen = draw.choice([draw.randint(1, 7), sizes if rank > 1 else (draw.randint(1, 7),)])
    return {"output_size": chosen}, [2, draw.width(), *room(draw, [1] * rank)]


def fractional_pool(draw: Draw, rank: int) -> Drawn:
    config: Config = {"kernel_size": draw.randint(1, 3)}
    if draw.flag():
        config["output_size"] = draw.per_axis(rank, 1, 5)
    else:
        ratios = tuple(draw.choice([0.25, 0.3, 0.5, 0.7]) for _ in range(rank))
        config["output_ratio"] = ratios[0] if draw.flag() else ratios
    return config, [2, draw.width(), *room(draw, [11] * rank)]


def unpool(draw: Draw, rank: int) -> Drawn:
    config = {"kernel_size": draw.per_axis(rank, 2, 4)}
    config |= draw.some(stride=draw.per_axis(rank, 1, 4), padding=draw.per_axis(rank, 0, 1))
    shape = [2, draw.width(6), *room(draw, [3] * rank)]
    return config, [shape, shape]


def flatten(draw: Draw) -> Drawn:
    shape = draw.shape(3, 5)
    start = draw.randrange(len(shape))
    stop = draw.randrange(start, len(shape))
    config = draw.some(end_dim=draw.choice([stop, stop - len(shape)]))
    if start > 1 or draw.flag():
        config["start_dim"] = draw.choice([start, start - len(shape)])
    if config.get("end_dim", -1) % len(shape) < config.get("start_dim", 1) % len(shape):
        config.pop("start_dim", None), config.pop("end_dim", None)
    return config, shape


def glu(draw: Draw) -> Drawn:
    shape = draw.shape(2, 4)
    at = draw.randrange(1, len(shape))
    shape[at] *= 2
    return {"dim": draw.choice([at, at - len(shape)])}, shape


def softmax(draw: Draw) -> Drawn:
    shape = draw.shape(2, 4)
    return {"dim": draw.randrange(-len(shape), len(shape))}, shape


def padded(draw: Draw, rank: int, *, value: bool = False) -> Drawn:
    pads = tuple(draw.randint(0, 3) for _ in range(2 * rank))
    config: Config = {"padding": draw.choice([draw.randint(0, 3), pads])}
    return config | ({"value": 1.5} if value else {}), [2, draw.width(), *room(draw, [5] * rank)]


def upsample(draw: Draw) -> Drawn:
    rank = draw.randint(1, 3)
    mode = draw.choice(["nearest", {1: "linear", 2: "bilinear", 3: "trilinear"}[rank]])
    config = scaled(draw, rank) | draw.some(mode=mode)
    return config, [2, draw.width(6), *room(draw, [2] * rank)]


def scaled(draw: Draw, rank: int) -> Config:
    if draw.flag():
        return {"size": draw.per_axis(rank, 1, 9)}
    factors = tuple(draw.choice([1, 2, 3, 1.5, 2.5]) for _ in range(rank))
    return {"scale_factor": factors[0] if draw.flag() else factors}


def recurrent(draw: Draw, kind: str) -> Drawn:
    wide, hidden, first = draw.width(), draw.width(), draw.flag()
    config = {"input_size": wide, "hidden_size": hidden}
    config |= draw.some(num_layers=draw.randint(1, 3), bias=draw.flag(), bidirectional=draw.flag())
    config |= {"batch_first": first} if first or draw.flag() else {}
    if kind == "RNN":
        config |= draw.some(nonlinearity=draw.choice(["tanh", "relu"]))
    elif kind == "LSTM" and hidden > 1:
        config |= draw.some(proj_size=draw.randint(0, hidden - 1))
    return config, [draw.randint(1, 5), draw.randint(1, 5), wide]


def cell(draw: Draw, kind: str) -> Drawn:
    wide = draw.width()
    config = {"input_size": wide, "hidden_size": draw.width(), **draw.some(bias=draw.flag())}
    config |= draw.some(nonlinearity="relu") if kind == "RNN" else {}
    return config, [2, wide]


def normed(draw: Draw, ranks: Sequence[int], lazy: bool = False) -> Drawn:
    wide, rank = draw.width(), draw.choice(ranks)
    config = {"num_features": wide, **draw.some(affine=draw.flag(), bias=draw.flag())}
    config |= draw.some(track_running_stats=draw.flag(), eps=1e-3, momentum=None)
    return without(config, "num_features", lazy), [3, wide, *room(draw, [2] * rank)]


def last_axes_normed(draw: Draw, bias: bool) -> Drawn:
    shape = draw.shape(2, 4)
    many = draw.randint(1, len(shape) - 1)
    config: Config = {"normalized_shape": tuple(shape[-many:])}
    if many == 1 and draw.flag():
        config["normalized_shape"] = shape[-1]
    return config | draw.some(elementwise_affine=draw.flag(), **({"bias": draw.flag()} if bias
                                                                 else {})), shape  # fmt: skip


def group_norm(draw: Draw) -> Drawn:
    groups = draw.randint(1, 4)
    wide = groups * draw.width(10)
    config = {"num_groups": groups, "num_channels": wide}
    config |= draw.some(affine=draw.flag(), bias=draw.flag())
    return config, [3, wide, *room(draw, [2] * draw.randint(0, 3))]


def prelu(draw: Draw) -> Drawn:
    shape = draw.shape(2, 5)
    return draw.some(num_parameters=draw.choice([1, shape[1]]), init=0.1), shape


def embedding(draw: Draw, bag: bool = False) -> Drawn:
    many = draw.width(200)
    config = {"num_embeddings": many, "embedding_dim": draw.width()}
    config |= draw.some(padding_idx=draw.randrange(many), max_norm=1.0)
    config |= draw.some(mode=draw.choice(["sum", "mean", "max"])) if bag else {}
    return config, [3, draw.randint(1, 5)] if bag else draw.shape(1, 3)


def bilinear(draw: Draw) -> Drawn:
    left, right, lead = draw.width(20), draw.width(20), [2, *draw.lead()]
    config = {"in1_features": left, "in2_features": right, "out_features": draw.width(20)}
    return config | draw.some(bias=draw.flag()), [[*lead, left], [*lead, right]]


def adaptive_softmax(draw: Draw) -> Drawn:
    classes, wide = draw.randint(12, 200), draw.randint(30, 80)
    cuts = sorted(draw.sample(range(1, classes), draw.randint(1, 3)))
    config = {"in_features": wide, "n_classes": classes, "cutoffs": cuts}
    return config | draw.some(div_value=draw.choice([2.0, 3.0]), head_bias=draw.flag()), [3, wide]


def unflatten(draw: Draw) -> Drawn:
    parts = draw.shape(2, 3)
    shape = draw.shape(2, 4)
    at = draw.randrange(1, len(shape))
    shape[at] = math.prod(parts)
    if draw.flag():
        parts[draw.randrange(len(parts))] = -1
    return {"dim": draw.choice([at, at - len(shape)]), "unflattened_size": tuple(parts)}, shape


def shuffled(draw: Draw, up: bool) -> Drawn:
    f, size = draw.randint(1, 4), [draw.randint(1, 5), draw.randint(1, 5)]
    if up:
        return {"upscale_factor": f}, [2, draw.width(9) * f * f, *size]
    return {"downscale_factor": f}, [2, draw.width(9), *(f * s for s in size)]


def channel_shuffle(draw: Draw) -> Drawn:
    groups = draw.randint(1, 4)
    return {"groups": groups}, [2, groups * draw.width(9), *draw.shape(1, 3)]


def unfolded(draw: Draw, back: bool) -> Drawn:
    config = {"kernel_size": draw.per_axis(2, 1, 4)}
    config |= draw.some(dilation=draw.per_axis(2, 1, 2), padding=draw.per_axis(2, 0, 2),
                        stride=draw.per_axis(2, 1, 3))  # fmt: skip
    wide, size = draw.width(9), room(draw, windows(config, 2, "kernel_size", "dilation"))
    if not back:
        return config, [2, wide, *size]
    extras = [spread(config.get(name, usual), 2) for name, usual in (("padding", 0), ("stride", 1))]
    held = windows(config, 2, "kernel_size", "dilation")
    blocks = [(s + 2 * p - k) // t + 1 for s, k, p, t in zip(size, held, *extras, strict=True)]
    patch = math.prod(spread(config["kernel_size"], 2))
    return {"output_size": tuple(size), **config}, [2, wide * patch, math.prod(blocks)]


def attention(draw: Draw) -> Drawn:
    heads = draw.randint(1, 4)
    wide = heads * draw.width(12)
    config = {"embed_dim": wide, "num_heads": heads}
    config |= draw.some(bias=draw.flag(), add_bias_kv=draw.flag(), add_zero_attn=draw.flag(),
                        kdim=draw.choice([wide, draw.width()]), vdim=draw.width(),
                        batch_first=draw.flag())  # fmt: skip
    widths = (wide, config.get("kdim", wide), config.get("vdim", wide))
    return config, tokens(draw, config.get("batch_first", False), widths, alike=(1, 2))


def transformer_layer(draw: Draw) -> Config:
    heads = draw.randint(1, 4)
    return {
        "d_model": heads * draw.width(10), "nhead": heads, "dim_feedforward": draw.width(),
        **draw.some(activation=draw.choice(["relu", "gelu"]), batch_first=draw.flag(),
                    norm_first=draw.flag(), bias=draw.flag(), dropout=0.2),
    }  # fmt: skip


def encoder_layer(draw: Draw, inputs: int) -> Drawn:
    config = transformer_layer(draw)
    shapes = tokens(draw, config.get("batch_first", False), [config["d_model"]] * inputs)
    return config, shapes if inputs > 1 else shapes[0]


def transformer_stack(draw: Draw, kind: str, inputs: int) -> Drawn:
    inner, shapes = encoder_layer(draw, inputs)
    made = {"class_name": f"Transformer{kind}Layer", "config": inner}
    config = {f"{kind.lower()}_layer": made, "num_layers": draw.randint(1, 3)}
    norm = draw.some(elementwise_affine=draw.flag(), bias=draw.flag())
    norm = {"class_name": "LayerNorm", "config": {"normalized_shape": inner["d_model"], **norm}}
    return config | draw.some(norm=draw.choice([None, norm, norm])), shapes


def transformer(draw: Draw) -> Drawn:
    config = transformer_layer(draw)
    config |= {"num_encoder_layers": draw.randint(1, 2), "num_decoder_layers": draw.randint(1, 2)}
    return config, tokens(draw, config.get("batch_first", False), [config["d_model"]] * 2)


def parametrised(draw: Draw, **optional: Any) -> Drawn:
    kind = draw.choice(["Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose2d"])
    rank = int(kind[-2]) if kind[-1] == "d" else 0
    made: Drawn = linear(draw) if not rank else conv(draw, rank)
    if "Transpose" in kind:
        made = conv_transpose(draw, rank)
    return {"module": {"class_name": kind, "config": made[0]}, **draw.some(**optional)}, made[1]


P = functools.partial

TORCH: dict[str, Generator] = {
    "Linear": linear,
    "LazyLinear": P(linear, lazy=True),
    "Bilinear": bilinear,
    "Identity": plain,
    "Flatten": flatten,
    "Unflatten": unflatten,
    "GLU": glu,
    "RReLU": P(plain, lower=0.1, upper=0.3, inplace=False),
    "GELU": P(plain, approximate="tanh"),
    "Threshold": P(plain, must={"threshold": 0.1, "value": 20.0}, inplace=False),
    "Hardtanh": P(plain, min_val=-2.0, max_val=2.0),
    "Softplus": P(plain, beta=2.0, threshold=10.0),
    "LeakyReLU": P(plain, negative_slope=0.2, inplace=False),
    "Softmax2d": P(plain, least=4),
    "AlphaDropout": P(plain, p=0.3, inplace=False),
    "Dropout": P(plain, p=0.3, inplace=False),
    "FeatureAlphaDropout": P(plain, p=0.3),
    **{f"Dropout{n}d": P(plain, least=n + 2, most=n + 2, p=0.3) for n in RANKS},
    **{name: P(plain, inplace=False)
       for name in ("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid")},
    **dict.fromkeys(("Sigmoid", "Tanh", "Tanhshrink", "LogSigmoid", "Softsign"), plain),
    **{name: P(plain, alpha=0.5, inplace=False) for name in ("ELU", "CELU")},
    **{name: P(plain, lambd=0.3) for name in ("Hardshrink", "Softshrink")},
    **dict.fromkeys(("Softmax", "LogSoftmax", "Softmin"), softmax),
    "Upsample": upsample,
    "UpsamplingNearest2d": lambda d: (scaled(d, 2), [2, d.width(), *room(d, [2, 2])]),
    "UpsamplingBilinear2d": lambda d: (scaled(d, 2), [2, d.width(), *room(d, [2, 2])]),
    "PixelShuffle": P(shuffled, up=True),
    "PixelUnshuffle": P(shuffled, up=False),
    "ChannelShuffle": channel_shuffle,
    "Unfold": P(unfolded, back=False),
    "Fold": P(unfolded, back=True),
    **{name: P(recurrent, kind=name) for name in ("RNN", "LSTM", "GRU")},
    **{f"{name}Cell": P(cell, kind=name) for name in ("RNN", "LSTM", "GRU")},
    "SyncBatchNorm": P(normed, ranks=(0, 1, 2, 3)),
    "LayerNorm": P(last_axes_normed, bias=True),
    "RMSNorm": P(last_axes_normed, bias=False),
    "GroupNorm": group_norm,
    "LocalResponseNorm": P(plain, least=3, must={"size": 3}, alpha=1e-3, beta=0.5, k=2.0),
    "CrossMapLRN2d": P(plain, least=4, must={"size": 3}, alpha=1e-3, beta=0.5, k=2),
    "PReLU": prelu,
    "Embedding": embedding,
    "EmbeddingBag": P(embedding, bag=True),
    "AdaptiveLogSoftmaxWithLoss": adaptive_softmax,
    "MultiheadAttention": attention,
    "TransformerEncoderLayer": P(encoder_layer, inputs=1),
    "TransformerDecoderLayer": P(encoder_layer, inputs=2),
    "TransformerEncoder": P(transformer_stack, kind="Encoder", inputs=1),
    "TransformerDecoder": P(transformer_stack, kind="Decoder", inputs=2),
    "Transformer": transformer,
    "weight_norm": P(parametrised, dim=0),
    "spectral_norm": P(parametrised, n_power_iterations=2),
    **{f"FractionalMaxPool{n}d": P(fractional_pool, rank=n) for n in (2, 3)},
    **{name.format(n): made for n in RANKS for name, made in {
        "Conv{}d": P(conv, rank=n),
        "LazyConv{}d": P(conv, rank=n, lazy=True),
        "ConvTranspose{}d": P(conv_transpose, rank=n),
        "LazyConvTranspose{}d": P(conv_transpose, rank=n, lazy=True),
        "MaxPool{}d": P(pool, rank=n, kind="Max"),
        "AvgPool{}d": P(pool, rank=n, kind="Avg"),
        "LPPool{}d": P(pool, rank=n, kind="LP"),
        "AdaptiveMaxPool{}d": P(adaptive_pool, rank=n),
        "AdaptiveAvgPool{}d": P(adaptive_pool, rank=n),
        "MaxUnpool{}d": P(unpool, rank=n),
        "ZeroPad{}d": P(padded, rank=n),
        "ConstantPad{}d": P(padded, rank=n, value=True),
        "ReflectionPad{}d": P(padded, rank=n),
        "ReplicationPad{}d": P(padded, rank=n),
        "CircularPad{}d": P(padded, rank=n),
        "BatchNorm{}d": P(normed, ranks=(0, 1) if n == 1 else (n,)),
        "LazyBatchNorm{}d": P(normed, ranks=(0, 1) if n == 1 else (n,), lazy=True),
        "InstanceNorm{}d": P(normed, ranks=(n,)),
        "LazyInstanceNorm{}d": P(normed, ranks=(n,), lazy=True),
    }.items()},
}  # fmt: skip
