"""The words of layers, as tables: what layers, keys, settings and questions are called."""

from __future__ import annotations

import re
from collections.abc import Mapping

# --- what layers are called ----------------------------------------------------------------

_DENSE = ("dense", "linear", "fully connected", "fc")

_CELLS = {
    **dict.fromkeys(("rnn", "simple rnn", "vanilla rnn", "elman rnn"), "rnn"),
    **dict.fromkeys(("gru", "gated recurrent units"), "gru"),
    **dict.fromkeys(("lstm", "long short term memory"), "lstm"),
    **dict.fromkeys(("mgu", "minimal gated units"), "mgu"),
}

# What a layer is called, in the spelling of _SPELLINGS: a new layer is a row.
PHRASES: Mapping[str, str] = {
    "conv": "conv",
    "pointwise conv": "conv",
    "pointwise": "conv",
    "depthwise conv": "depthwise_conv",
    "depthwise": "depthwise_conv",
    "depthwise separable conv": "separable_conv",
    "depthwise separable": "separable_conv",
    "separable conv": "separable_conv",
    "transposed conv": "conv_transpose",
    "conv transposed": "conv_transpose",
    "deconv": "conv_transpose",
    "locally connected": "locally_connected",
    **dict.fromkeys(_DENSE, "linear"),
    **{f"flatten{join}{dense}": "flatten_dense"
       for join in (" then ", " and ", " and then ", " ") for dense in _DENSE},
    **{f"global avg pool{join}{dense}": "global_pool_dense"
       for join in (" then ", " and ", " and then ", " ") for dense in _DENSE},
    "pool": "max_pool",
    "max pool": "max_pool",
    "avg pool": "avg_pool",
    "global max pool": "global_max_pool",
    "global avg pool": "global_avg_pool",
    "adaptive max pool": "adaptive_max_pool",
    "adaptive avg pool": "adaptive_avg_pool",
    "flatten": "flatten",
    **{f"{ways}{phrase}": layer
       for ways in ("", "bidirectional ") for phrase, layer in _CELLS.items()},
    **{f"{phrase} cell": f"{layer}_cell" for phrase, layer in _CELLS.items()},
    **dict.fromkeys(("conv lstm", "lstm conv"), "conv_lstm"),
    "dropout": "dropout",
    "zero pad": "pad",
    "pad": "pad",
    "crop": "crop",
    "upsample": "upsample",
    "identity": "identity",
    **{f"{kind}{join}norm": f"{kind}_norm"
       for kind in ("batch", "instance", "layer", "group") for join in (" ", "")},
    "groups norm": "group_norm",
    **dict.fromkeys(("rms norm", "rmsnorm", "root max square norm"), "rms_norm"),
    **dict.fromkeys(("local response norm", "lrn"), "local_response_norm"),
    "weight norm": "weight_norm",
    "spectral norm": "spectral_norm",
    "layer scale": "layer_scale",
    **dict.fromkeys(("prelu", "parametric relu"), "prelu"),
    **dict.fromkeys(("embedding", "token embedding", "word embedding", "embedding table"),
                    "embedding"),
    "embedding bag": "embedding_bag",
    **dict.fromkeys(("position embedding", "positional embedding", "learned positions",
                     "learned position embedding", "learned positional embedding"),
                    "learned_positions"),
    **dict.fromkeys(("sinusoidal positions", "sinusoidal position embedding",
                     "sinusoidal positional encoding"), "sinusoidal_positions"),
    **dict.fromkeys(("rotary positions", "rotary embedding", "rotary position embedding", "rope"),
                    "rotary_positions"),
    "patch embedding": "patch_embedding",
    "class token": "class_token",
    "token type embedding": "token_type_embedding",
    **dict.fromkeys(("attention", "self attention", "multi head attention", "mha",
                     "multi head self attention", "multihead attention",
                     "scaled dot product attention"), "multi_head_attention"),
    **dict.fromkeys(("cross attention", "encoder decoder attention"), "cross_attention"),
    **dict.fromkeys(("grouped query attention", "group query attention", "gqa"),
                    "grouped_query_attention"),
    **dict.fromkeys(("multi query attention", "mqa"), "multi_query_attention"),
    **dict.fromkeys(("latent attention", "multi head latent attention", "mla"),
                    "latent_attention"),
    **dict.fromkeys(("additive attention", "bahdanau attention"), "additive_attention"),
    **dict.fromkeys(("dot product attention", "dot attention", "luong attention",
                     "multiplicative attention"), "dot_attention"),
    **dict.fromkeys(("window attention", "windowed attention", "swin attention"),
                    "window_attention"),
    **dict.fromkeys(("feed forward", "feedforward", "ffn", "feed forward block",
                     "feed forward network"), "feed_forward"),
    **dict.fromkeys(("gated feed forward", "swiglu", "geglu"), "gated_feed_forward"),
    **dict.fromkeys(("mixture of experts", "moe"), "mixture_of_experts"),
    **{name: name for name in ("lora", "dora", "adapter", "transformer")},
    **dict.fromkeys(("prompt tokens", "prompt tuning", "soft prompt"), "prompt_tokens"),
    **dict.fromkeys(("prefix tokens", "prefix tuning"), "prefix_tokens"),
    **{f"transformer {kind}{end}": f"transformer_{kind}{end.replace(' ', '_')}"
       for kind in ("encoder", "decoder") for end in ("", " layer")},
    **dict.fromkeys(("encoder layer", "encoder block", "transformer block", "transformer layer"),
                    "transformer_encoder_layer"),
    **dict.fromkeys(("decoder layer", "decoder block"), "transformer_decoder_layer"),
    **dict.fromkeys(
        ("activation", "relu", "leaky relu", "relu6", "sigmoid", "tanh", "softmax", "gelu", "elu",
         "selu", "silu", "swish", "mish", "softplus", "hardswish"), "activation"),
}  # fmt: skip

# What a phrase says besides the layer.
SAYS: Mapping[str, tuple[str, object]] = {
    **dict.fromkeys(("pointwise conv", "pointwise"), ("kernel_size", 1)),
    **{f"bidirectional {phrase}": ("directions", 2) for phrase in _CELLS},
}

# The one spelling of words that have several.
_SPELLINGS = {
    "conv": "convolution convolutions convolutional convs convolve convolved",
    "deconv": "deconvolution deconvolutions deconvolutional deconvs",
    "transposed": "transpose",
    "pool": "pooling pools poolings pooled",
    "avg": "average averages averaging mean",
    "max": "maximum maximal",
    "pad": "padding paddings padded pads",
    "crop": "cropping cropped crops",
    "upsample": "upsampling upsampled upsamples",
    "flatten": "flattening flattened flattens",
    "activation": "activations",
    "relu": "relus",
    "norm": "normalization normalisation normalizations normalisations norms normalize normalise",
    "embedding": "embeddings",
    "bias": "biases",
    "channels": "channel",
    "groups": "group",
    "stride": "strides",
    "dilation": "dilations",
    "units": "unit neuron neurons node nodes",
    "features": "feature",
    "maps": "map",
    "image": "images picture pictures",
    "tensor": "tensors volume volumes matrix array",
    "grayscale": "greyscale gray grey monochrome",
    "rgb": "colour color",
    "dilated": "atrous",
    "without": "excluding ignoring",
    "and": "plus",
    "with": "including",
}
SPELLING = {word: one for one, words in _SPELLINGS.items() for word in words.split()}

# --- what is said of them ------------------------------------------------------------------

# A noun and the key its size belongs to; ``placing`` knows the ones in capitals.
NOUNS: Mapping[str, str] = {
    **dict.fromkeys(("kernel", "kernel size", "kernel_size", "window", "window size", "pool size",
                     "pool window", "pool_size", "filter size"), "kernel_size"),
    "filter": "FILTER",
    **dict.fromkeys(("filters", "kernels"), "FILTERS"),
    **dict.fromkeys(("maps", "features maps"), "MAPS"),
    **dict.fromkeys(("channels", "features", "depth"), "CHANNELS"),
    **dict.fromkeys(("input", "image", "tensor", "input image", "input tensor", "input shape",
                     "input size"), "INPUT"),
    **dict.fromkeys(("output", "output shape", "output size", "output tensor"), "OUTPUT"),
    **dict.fromkeys(("inputs", "input channels", "input features", "input maps", "input depth",
                     "input features maps", "input units", "in channels", "in features",
                     "channels in", "channels input", "channels image", "channels tensor",
                     "channels maps", "kernels of depth", "filters of depth", "in_channels",
                     "in_features"), "in_channels"),
    **dict.fromkeys(("outputs", "output channels", "output features", "output maps", "units",
                     "output features maps", "output units", "output depth", "out channels",
                     "out features", "channels output", "channels out", "out_channels",
                     "out_features"),
                    "out_channels"),
    "stride": "stride",
    **dict.fromkeys(("pad", "zero pad"), "padding"),
    **dict.fromkeys(("dilation", "dilation rate", "dilation_rate"), "dilation"),
    "groups": "groups",
    **dict.fromkeys(("output pad", "output_padding"), "output_padding"),
    **dict.fromkeys(("depth multiplier", "channels multiplier", "depth_multiplier"),
                    "depth_multiplier"),
    **dict.fromkeys(("heads", "attention heads", "query heads"), "num_heads"),
    **dict.fromkeys(("kv heads", "key value heads"), "num_kv_heads"),
    **dict.fromkeys(("model width", "model dimension", "embedding dimension"), "embed_dim"),
    **dict.fromkeys(("hidden units", "hidden size", "hidden features", "hidden dimension",
                     "hidden dimensions", "hidden state", "units hidden"), "hidden_size"),
    **dict.fromkeys(("time steps", "timesteps", "time step", "steps", "sequence length"),
                    "seq_len"),
    **dict.fromkeys(("hidden width", "feed forward width", "inner width"), "dim_feedforward"),
    **dict.fromkeys(("experts",), "num_experts"),
    **dict.fromkeys(("tokens", "sequence length"), "seq_len"),
    "rank": "rank",
    **dict.fromkeys(("rate", "dropout rate", "probability"), "rate"),
    **dict.fromkeys(("factor", "scale", "scale factor", "scale_factor"), "scale_factor"),
}  # fmt: skip
COUNTS = frozenset(("FILTERS", "FILTER", "MAPS", "CHANNELS", "in_channels", "out_channels",
                     "groups", "INPUT", "OUTPUT"))  # fmt: skip
FILTERS = frozenset(("FILTER", "FILTERS"))
FRACTIONS = frozenset(("rate", "p", "scale_factor"))
SCALARS = frozenset(("groups", "depth_multiplier", "rate"))
# Nouns that may stand without a size.
SILENT = COUNTS - {"groups"} | {"kernel_size"}

# Settings said in words; None leaves the choice open.
SETTINGS: Mapping[str, tuple[str, object]] = {
    **dict.fromkeys(("no bias", "without bias", "bias ignored", "bias excluded", "not bias",
                     "bias free", "bias no", "bias none", "bias false", "bias off"),
                    ("bias", False)),
    **dict.fromkeys(("with bias", "bias included", "bias yes", "bias true", "bias on", "bias",
                     "one bias"), ("bias", True)),
    **dict.fromkeys(("with and without bias", "with or without bias"), ("bias", None)),
    **dict.fromkeys(("no pad", "without pad", "no zero pad", "pad none"), ("padding", 0)),
    **{text: ("padding", word) for word in ("same", "valid", "causal")
       for text in (word, f"{word} pad", f"pad {word}", f"{word} size")},
    "rgb": ("in_channels", 3),
    "grayscale": ("in_channels", 1),
}  # fmt: skip

# Adjectives that name a modifier: its letter is left where no number is given.
ADJECTIVES = {"dilated": ("dilation", "d"), "strided": ("stride", "s"), "grouped": ("groups", "g")}

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SPELLED = {**{word: n for n, word in enumerate(_NUMBERS, start=1)}, "single": 1}
ON = frozenset(("on", "over", "onto"))
TO = frozenset(("to", "into"))
_FILLING = """
    a an the with that of are is in by as for and at this each every per any its it which where
    has have having had using use uses used applied takes taking size sized layer layers stacked
    standard regular ordinary plain usual first second third last vector vectors term terms both
    given how many much what does do did there number count counts total parameters parameter
    params trainable learnable learned free weights
"""
STOP = frozenset(_FILLING.split())

# What a question may end with, and the quantity it asks for.
ASKED: Mapping[str, str] = {
    **dict.fromkeys(("output shape", "output size", "output dimensions", "output tensor",
                     "resulting dimensions", "resulting size", "size after conv",
                     "shape of the output", "size of the output", "shape of the maps",
                     "shape of the features maps", "size of the features maps",
                     "size of the conv tensor", "size of the conv image",
                     "dimensions passed to the next layer", "dimensions the next layer receives"),
                    "shape"),
    **dict.fromkeys(("multiplications", "macs", "multiply accumulates"), "macs"),
    "flops": "flops",
    **dict.fromkeys(("receptive field", "receptive field on the input"), "receptive_field"),
}  # fmt: skip

# --- what may stand without a noun ------------------------------------------------------------

# name -> where a bare 3x3 goes, and where bare numbers go, in order.
_WINDOW = ("kernel_size", ("kernel_size", "out_channels"))
_POOL = ("kernel_size", ("kernel_size",))
_UNITS = (None, ("out_channels",))
BARE: Mapping[str, tuple[str | None, tuple[str, ...]]] = {
    **dict.fromkeys(("conv", "conv_transpose", "locally_connected", "separable_conv"), _WINDOW),
    **dict.fromkeys(("depthwise_conv", "max_pool", "avg_pool"), _POOL),
    **dict.fromkeys(("linear", "flatten_dense", "global_pool_dense", "flatten"), _UNITS),
    **dict.fromkeys(
        ("rnn", "gru", "lstm", "mgu", "rnn_cell", "gru_cell", "lstm_cell", "mgu_cell"), _UNITS
    ),
    "conv_lstm": _WINDOW,
    **dict.fromkeys(("adaptive_max_pool", "adaptive_avg_pool"), ("output_size", ("output_size",))),
    **dict.fromkeys(("pad", "crop"), ("padding", ("padding",))),
    "upsample": ("scale_factor", ("scale_factor",)),
    "dropout": (None, ("rate",)),
}
NOTHING_BARE: tuple[None, tuple[str, ...]] = (None, ())
CHANGES_CHANNELS = frozenset(n for n, (_, keys) in BARE.items() if "out_channels" in keys)
HAS_WINDOW = frozenset(n for n, (dims, _) in BARE.items() if dims == "kernel_size")
HAS_AXES = frozenset(n for n, (dims, _) in BARE.items() if dims) | {
    "global_max_pool", "global_avg_pool",
}  # fmt: skip

# --- phrases in one word -----------------------------------------------------------------------

_FUSED = {phrase.replace(" ", ""): tuple(phrase.split()) for phrase in PHRASES}
_FUSING = [(long, short) for long, short in SPELLING.items() if short not in ("with", "without")]
_PARTS = re.compile(r"_?([123])d_?")


def fused(word: str) -> tuple[tuple[str, ...], int | None] | None:
    """A phrase written as one word, and its number of axes: conv2d, GlobalAveragePooling2D."""
    found = _PARTS.search(word)
    core = (word[: found.start()] + word[found.end() :] if found else word).replace("_", "")
    if core not in _FUSED and len(core) <= 40:
        for long, short in _FUSING:
            core = core.replace(long, short)
    if core not in _FUSED:
        return None
    return _FUSED[core], int(found[1]) if found else None


# Every word that is understood, in its one spelling.
KNOWN = STOP | ON | TO | ADJECTIVES.keys() | {"from", "then", "no"}
KNOWN |= {
    word for table in (PHRASES, NOUNS, SETTINGS, ASKED) for row in table for word in row.split()
}
