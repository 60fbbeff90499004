"""Normalisations and embeddings in the frameworks' words, one row a class.

Source: PyTorch 2.13, ``torch.nn``; Keras 3.15, ``keras.layers``; flax.linen 0.12.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from ..errors import ValueRefused
from .flax import FLAX
from .keras import KERAS
from .keras import SPELLINGS as _KERAS
from .rules import shown
from .spelling import Call, Framework, Shape, Spelling, Stored, row
from .torch import SPELLINGS as _TORCH
from .torch import TORCH

_ALL = (1, 2, 3)


def _both(scale: str, shift: str, axes: str = "C") -> dict[str, str]:
    return {"scale": f"{scale}: {axes}", "shift": f"{shift}: {axes}"}


# --- PyTorch ------------------------------------------------------------------------------------

_torch = functools.partial(row, TORCH)
_END = " device dtype"
_RUNNING = {"running_mean": "running_mean: C", "running_var": "running_var: C",
            "num_batches_tracked": "num_batches_tracked:"}  # fmt: skip
_NORM = {**_both("weight", "bias"), **_RUNNING}
_BATCH_ARGS = "eps momentum affine@affine=1 track_running_stats@tracked=1" + _END + " * bias"
_INSTANCE_ARGS = "eps momentum affine@affine=0 track_running_stats@tracked=0" + _END + " * bias"

TORCH_ROWS: tuple[Spelling, ...] = (
    *_torch("BatchNorm{n}d", "batch_norm{n}d", "num_features:C_in " + _BATCH_ARGS, _NORM,
            takes="norm", ranks=_ALL),
    *_torch("LazyBatchNorm{n}d", "batch_norm{n}d", _BATCH_ARGS, _NORM, takes="norm", ranks=_ALL),
    *_torch("SyncBatchNorm", "batch_norm{n}d",
            "num_features:C_in eps momentum affine@affine=1 track_running_stats@tracked=1"
            " process_group" + _END + " * bias", _NORM, takes="norm"),
    *_torch("InstanceNorm{n}d", "instance_norm{n}d", "num_features:C_in " + _INSTANCE_ARGS, _NORM,
            takes="norm", ranks=_ALL),
    *_torch("LazyInstanceNorm{n}d", "instance_norm{n}d", _BATCH_ARGS, _NORM, takes="norm",
            ranks=_ALL),
    *_torch("LayerNorm", "layer_norm",
            "normalized_shape@normalized_shape eps elementwise_affine@affine=1 bias" + _END,
            _both("weight", "bias", "d"), takes="lead"),
    *_torch("RMSNorm", "rms_norm",
            "normalized_shape@normalized_shape eps elementwise_affine:a=1" + _END,
            {"scale": "weight: d"}, takes="lead"),
    *_torch("GroupNorm", "group_norm",
            "num_groups:g num_channels:C_in eps affine@affine=1" + _END + " * bias",
            _both("weight", "bias"), takes="norm"),
    *_torch("LocalResponseNorm", "local_response_norm", "size alpha beta k", takes="any"),
    *_torch("CrossMapLRN2d", "local_response_norm", "size alpha beta k", takes="any"),
    *_torch("PReLU", "prelu", "num_parameters@slopes=1 init" + _END, {"slope": "weight: C"},
            takes="any"),
    *_torch("Embedding", "embedding",
            "num_embeddings:V@tokens embedding_dim:d padding_idx max_norm norm_type"
            " scale_grad_by_freq sparse _weight _freeze@frozen_if" + _END,
            {"weight": "weight: V d"}, takes="own"),
    *_torch("EmbeddingBag", "embedding_bag",
            "num_embeddings:V@bag embedding_dim:d max_norm norm_type scale_grad_by_freq mode sparse"
            " _weight include_last_offset padding_idx" + _END, {"weight": "weight: V d"},
            takes="own"),
)  # fmt: skip

# --- Keras --------------------------------------------------------------------------------------

_keras = functools.partial(row, KERAS)
_K_END = " * name dtype trainable@frozen autocast batch_size"
_INIT = (
    " beta_initializer gamma_initializer beta_regularizer gamma_regularizer beta_constraint"
    " gamma_constraint"
)
_EMBED_INIT = " embeddings_initializer embeddings_regularizer embeddings_constraint"
_GAMMA = _both("gamma", "beta")
_MOVING = {name: f"{name}: C" for name in ("moving_mean", "moving_variance", "moving_stddev",
                                           "renorm_mean", "renorm_stddev")}  # fmt: skip

KERAS_ROWS: tuple[Spelling, ...] = (
    *_keras("BatchNormalization", "batch_norm{n}d",
            "axis@axis=-1 momentum epsilon center:b=1 scale:a=1 beta_initializer"
            " gamma_initializer moving_mean_initializer moving_variance_initializer"
            " beta_regularizer gamma_regularizer beta_constraint gamma_constraint synchronized"
            " renorm@renorm renorm_clipping renorm_momentum" + _K_END, {**_GAMMA, **_MOVING},
            takes="norm"),
    *_keras("LayerNormalization", "layer_norm",
            "axis@over=-1 epsilon center:b=1 scale:a=1" + _INIT + _K_END,
            _both("gamma", "beta", "d"), takes="lead"),
    *_keras("RMSNormalization", "rms_norm", "axis@over=-1 epsilon" + _K_END,
            {"scale": "scale: d"}, takes="lead"),
    *_keras("GroupNormalization", "group_norm",
            "groups:g@norm_groups=32 axis@axis=-1 epsilon center:b=1 scale:a=1" + _INIT + _K_END,
            _GAMMA, takes="norm"),
    *_keras("UnitNormalization", "unit_norm", "axis order" + _K_END, takes="any"),
    *_keras("Normalization", "feature_norm", "axis@axis=-1 mean~ variance~ invert" + _K_END,
            {"mean": "mean: C", "variance": "variance: C", "count": "count:"}, takes="norm"),
    *_keras("PReLU", "prelu",
            "alpha_initializer@shared_axes=zeros alpha_regularizer alpha_constraint shared_axes"
            + _K_END, {"slope": "alpha: C"}, takes="any"),
    *_keras("Embedding", "embedding",
            "input_dim:V@tokens output_dim:d" + _EMBED_INIT + " mask_zero weights"
            " lora_rank:r@lora lora_alpha quantization_config" + _K_END + " input_length",
            {"weight": "embeddings: V d", "lora_a": "lora_embeddings_a: V r",
             "lora_b": "lora_embeddings_b: r d"}, takes="own"),
    *_keras("ReversibleEmbedding", "reversible_embedding",
            "input_dim:V@tokens output_dim:d tie_weights@tied=1" + _EMBED_INIT + " mask_zero"
            " reverse_dtype logit_soft_cap" + _K_END,
            {"weight": "embeddings: V d", "reverse": "reverse_embeddings: d V"}, takes="own"),
)  # fmt: skip

# --- Flax ---------------------------------------------------------------------------------------

_flax = functools.partial(row, FLAX)
_F_START = " dtype param_dtype"
_F_INIT = " bias_init scale_init"
_F_END = " axis_name axis_index_groups use_fast_variance force_float32_reductions * name parent"
_SCALE = _both("params/scale", "params/bias")

FLAX_ROWS: tuple[Spelling, ...] = (
    *_flax("BatchNorm", "batch_norm{n}d",
           "use_running_average axis@axis=-1 momentum epsilon" + _F_START
           + " use_bias:b=1 use_scale:a=1" + _F_INIT + _F_END,
           {**_SCALE, "moving_mean": "batch_stats/mean: C",
            "moving_variance": "batch_stats/var: C"},
           takes="norm"),
    *_flax("LayerNorm", "layer_norm",
           "epsilon" + _F_START + " use_bias:b=1 use_scale:a=1" + _F_INIT
           + " reduction_axes feature_axes@over=-1" + _F_END,
           _both("params/scale", "params/bias", "d"), takes="lead"),
    *_flax("RMSNorm", "rms_norm",
           "epsilon" + _F_START + " use_scale:a=1 scale_init reduction_axes feature_axes@over=-1"
           + _F_END, {"scale": "params/scale: d"}, takes="lead"),
    *_flax("GroupNorm", "group_norm",
           "num_groups:g=32 group_size@group_size epsilon" + _F_START
           + " use_bias:b=1 use_scale:a=1" + _F_INIT
           + " reduction_axes" + _F_END, _SCALE, takes="norm"),
    *_flax("InstanceNorm", "instance_norm{n}d",
           "epsilon" + _F_START + " use_bias:b=1 use_scale:a=1" + _F_INIT + " feature_axes@axis=-1"
           + _F_END, _SCALE, takes="norm"),
    *_flax("Embed", "embedding",
           "num_embeddings:V@tokens features:d dtype param_dtype embedding_init promote_dtype"
           " * name parent", {"weight": "params/embedding: V d"}, takes="own"),
    *_flax("PReLU", "prelu", "param_dtype negative_slope_init@one_slope=0 * name parent",
           {"slope": "params/negative_slope:"}, takes="any"),
)  # fmt: skip

# --- wrappers -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wrapper(Spelling):
    """A function from a layer to a layer: what it wraps is a call of its own, given as
    ``{"class_name": ..., "config": {...}}``; ``around`` are the tensors it adds or renames."""

    among: tuple[Spelling, ...] = ()
    around: tuple[Stored, ...] = field(default=())

    def read(
        self,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
        batch_input_shape: Shape | None = None,
        input_shape: Shape | None = None,
    ) -> Call:
        """The wrapped call, with the wrapper's tensors.

        Raises:
            ValueRefused: it wraps no layer that is known here.
        """
        written = self._named(args, dict(kwargs or {}))
        inner = self._wrapped(written.get(self.names[0]), batch_input_shape, input_shape)
        plain = {s.tensor: s.pattern for s in inner.spelling.tensors}
        tensors = tuple(
            replace(stored, name=stored.name.format(of=_snake(inner.spelling.name)),
                    pattern=_pattern(stored, plain, inner.spelling.rank or 0))
            for stored in self.around
        )  # fmt: skip
        return replace(
            inner,
            spelling=replace(self, tensors=tensors),
            layer_id=self.layer,
            fixed={**inner.fixed, "of": inner.layer_id},
            frozen=inner.frozen or not written.get("trainable", True),
            written=tuple(written.items()),
        )

    def _wrapped(
        self, module: object, batch_input_shape: Shape | None, input_shape: Shape | None
    ) -> Call:
        known = {spelling.name: spelling for spelling in self.among}
        if not isinstance(module, Mapping) or module.get("class_name") not in known:
            raise ValueRefused("not_accepted", layer=self.name, key=self.names[0],
                               value=shown(module), wanted=", ".join(sorted(known)))  # fmt: skip
        spelling = known[str(module["class_name"])]
        config = module.get("config") or {}
        return spelling.read((), config, batch_input_shape, input_shape)


def _pattern(stored: Stored, plain: Mapping[str, str], rank: int) -> str:
    """The wrapped tensor's own axes, or the first of them and ones for the others."""
    if stored.pattern.startswith("="):
        return plain.get(stored.pattern[1:], "")
    if stored.pattern != "first":
        return stored.pattern
    first, *rest = plain["weight"].split()
    return " ".join((first, *("1" for word in rest for _ in range(rank if word == "k" else 1))))


def _snake(name: str) -> str:
    """How Keras names a layer after its class.

    >>> _snake("Conv2D"), _snake("Dense"), _snake("DepthwiseConv2D"), _snake("Conv2DTranspose")
    ('conv2d', 'dense', 'depthwise_conv2d', 'conv2d_transpose')
    """
    parts: list[str] = []
    for character in name:
        upper = character.isupper() and parts and not parts[-1][-1].isdigit()
        if upper or (character == "T" and parts and parts[-1].endswith("d")):
            parts.append(character.lower())
        elif parts:
            parts[-1] += character.lower()
        else:
            parts = [character.lower()]
    return "_".join(parts)


_WRAPPED = ("linear", "conv", "depthwise_conv", "conv_transpose")


def _wrap(
    framework: Framework, name: str, layer: str, signature: str, around: Mapping[str, str],
    among: Sequence[Spelling], wanted: Sequence[str] = _WRAPPED,
) -> Iterator[Spelling]:  # fmt: skip
    inner = tuple(s for s in among if s.layer.replace("{n}d", "") in wanted and s.tensors)
    for one in row(framework, name, layer, signature, around):
        held = {f.name: getattr(one, f.name) for f in fields(Spelling)}
        yield Wrapper(**held, among=inner, around=one.tensors)


_UTILS = replace(
    TORCH,
    prefixes=tuple(f"{front}utils{back}" for front in ("torch.nn.", "nn.", "")
                   for back in (".parametrizations", "")),
)  # fmt: skip
_FRONT = "parametrizations.weight."

WRAPPERS: tuple[Spelling, ...] = (
    *_wrap(_UTILS, "weight_norm", "weight_norm", "module name dim~=0",
           {"length": _FRONT + "original0: first", "direction": _FRONT + "original1: =weight",
            "bias": "bias: =bias"}, _TORCH),
    *_wrap(_UTILS, "spectral_norm", "spectral_norm", "module name n_power_iterations eps dim~",
           {"weight": _FRONT + "original: =weight", "bias": "bias: =bias",
            "u": _FRONT + "0._u: C_out", "v": _FRONT + "0._v: (C_in k)"}, _TORCH),
    *_wrap(KERAS, "SpectralNormalization", "spectral_norm", "layer power_iterations" + _K_END,
           {"weight": "{of}/kernel: =weight", "bias": "{of}/bias: =bias",
            "vector_u": "vector_u: 1 C_out"}, _KERAS,
           # As long as the kernel's last axis, which of the others is not the outputs'.
           wanted=("linear", "conv")),
)  # fmt: skip

SPELLINGS: tuple[Spelling, ...] = (*TORCH_ROWS, *KERAS_ROWS, *FLAX_ROWS, *WRAPPERS)
