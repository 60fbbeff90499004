"""Flax' spellings, one row a class.  Source: flax.linen 0.12."""

from __future__ import annotations

import functools

from .spelling import Framework, Spelling, row

FLAX = Framework("flax", "Flax", ("flax.linen", "linen", "nn"), "last", one_axis=True)

_row = functools.partial(row, FLAX)
_START = "features:C_out kernel_size:k strides:s "
_INIT = " dtype param_dtype precision kernel_init bias_init"
_END = " * name parent"
_CONV_ARGS = (
    _START + "padding:P@lax_pads=SAME input_dilation@only_one kernel_dilation:d"
    " feature_group_count:g use_bias:b=1 mask" + _INIT
    + " promote_dtype conv_general_dilated conv_general_dilated_cls" + _END
)  # fmt: skip
_LOCAL_ARGS = _CONV_ARGS.replace("feature_group_count:g", "feature_group_count@only_one")

_CONV = {"weight": "params/kernel: k C_in C_out", "bias": "params/bias: C_out"}

SPELLINGS: tuple[Spelling, ...] = (
    *_row("Dense", "linear",
          "features:C_out use_bias:b=1" + _INIT + " promote_dtype dot_general dot_general_cls"
          + _END, {"weight": "params/kernel: C_in C_out", "bias": "params/bias: C_out"},
          takes="lead"),
    *_row("Conv", "conv{n}d", _CONV_ARGS, _CONV),
    *_row("ConvTranspose", "conv_transpose{n}d",
          _START + "padding:P@lax_transposed=SAME kernel_dilation:d use_bias:b=1 mask" + _INIT
          + " transpose_kernel@transpose_kernel promote_dtype preferred_element_type" + _END,
          _CONV),
    *_row("ConvLocal", "locally_connected{n}d", _LOCAL_ARGS,
          {"weight": "params/kernel: x (k C_in) C_out", "bias": "params/bias: x C_out"}),
    *_row("Dropout", "dropout", "rate broadcast_dims deterministic rng_collection" + _END,
          takes="any"),
)  # fmt: skip
