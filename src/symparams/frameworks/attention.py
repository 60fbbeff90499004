"""Attention and transformer layers in the frameworks' words, one row a class.

Source: PyTorch 2.13, ``torch.nn``; Keras 3.15, ``keras.layers``; flax.linen 0.12.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from .flax import FLAX
from .keras import KERAS
from .spelling import Spelling, row
from .torch import TORCH


def _in(part: str, front: str, tensors: Mapping[str, str]) -> dict[str, str]:
    """The tensors of a part, their names under a front."""
    return {
        " ".join(f"{part}.{one}" for one in names.split()): front + line
        for names, line in tensors.items()
    }


# --- PyTorch ------------------------------------------------------------------------------------

_torch = functools.partial(row, TORCH)
_END = " device dtype"

_HEADS = {
    "weight_q weight_k weight_v": "in_proj_weight: +heads in",
    "weight_q": "q_proj_weight: heads in",
    "weight_k": "k_proj_weight: heads in",
    "weight_v": "v_proj_weight: heads in",
    "bias_q bias_k bias_v": "in_proj_bias: +heads",
    "extra_k": "bias_k: 1 1 heads",
    "extra_v": "bias_v: 1 1 heads",
    "weight_o": "out_proj.weight: E_out heads",
    "bias_o": "out_proj.bias: E_out",
}
_FORWARD = {
    "weight_up": "linear1.weight: F E",
    "bias_up": "linear1.bias: F",
    "weight_down": "linear2.weight: E_out F",
    "bias_down": "linear2.bias: E_out",
}
_NORM = {"scale": "weight: d", "shift": "bias: d"}
_ENCODER = {
    **_in("self_attn", "self_attn.", _HEADS),
    **_in("ffn", "", _FORWARD),
    **_in("norm1", "norm1.", _NORM),
    **_in("norm2", "norm2.", _NORM),
}
_DECODER = {
    **_ENCODER,
    **_in("cross_attn", "multihead_attn.", _HEADS),
    **_in("norm3", "norm3.", _NORM),
}
_ENCODERS, _DECODERS = (
    {**_in("layers", "layers.{L:0}.", layer), **_in("norm", "norm.", _NORM)}
    for layer in (_ENCODER, _DECODER)
)
_BOTH = {
    **_in("encoder.layers", "encoder.layers.{L_e:0}.", _ENCODER),
    **_in("encoder.norm", "encoder.norm.", _NORM),
    **_in("decoder.layers", "decoder.layers.{L_d:0}.", _DECODER),
    **_in("decoder.norm", "decoder.norm.", _NORM),
}

_LAYER = (
    "d_model:E nhead:h dim_feedforward:F=2048 dropout activation layer_norm_eps"
    " batch_first@tokens_first=0 norm_first@norm_first bias:b=1" + _END
)

_TORCH: tuple[Spelling, ...] = (
    *_torch("MultiheadAttention", "multi_head_attention",
            "embed_dim:E num_heads:h dropout bias:b=1 add_bias_kv@extra add_zero_attn@extra"
            " kdim:E_k vdim:E_v batch_first@tokens_first=0" + _END, _HEADS, takes="own T E"),
    *_torch("TransformerEncoderLayer", "transformer_encoder_layer", _LAYER, _ENCODER,
            takes="own T E"),
    *_torch("TransformerDecoderLayer", "transformer_decoder_layer", _LAYER, _DECODER,
            takes="own T E"),
    *_torch("TransformerEncoder", "transformer_encoder",
            "encoder_layer@stacked num_layers:L norm@last_norm"
            " enable_nested_tensor mask_check * layer@stacked",
            _ENCODERS, takes="own T E"),
    *_torch("TransformerDecoder", "transformer_decoder",
            "decoder_layer@stacked num_layers:L norm@last_norm"
            " * layer@stacked",
            _DECODERS, takes="own T E"),
    *_torch("Transformer", "transformer",
            "d_model:E=512 nhead:h=8 num_encoder_layers:L_e=6 num_decoder_layers:L_d=6"
            " dim_feedforward:F=2048 dropout activation custom_encoder@refused"
            " custom_decoder@refused layer_norm_eps batch_first@tokens_first=0"
            " norm_first@norm_first bias:b=1" + _END, _BOTH, takes="own S E"),
)  # fmt: skip

# --- Keras --------------------------------------------------------------------------------------

_keras = functools.partial(row, KERAS)
_NAMED = " * name dtype trainable@frozen autocast batch_size"
_RULES = (
    " kernel_initializer bias_initializer kernel_regularizer bias_regularizer"
    " activity_regularizer kernel_constraint bias_constraint use_gate@gate seed"
)
_PROJECTED = {
    "weight_q": "query/kernel: in h d_h",
    "bias_q": "query/bias: h d_h",
    "weight_o": "attention_output/kernel: h {v} E_out",
    "bias_o": "attention_output/bias: E_out",
    "weight_g": "gate/kernel: in h {v}",
    "bias_g": "gate/bias: h {v}",
    "weight_k": "key/kernel: in {h} d_h",
    "bias_k": "key/bias: {h} d_h",
    "weight_v": "value/kernel: in {h} {v}",
    "bias_v": "value/bias: {h} {v}",
}


def _projected(heads: str) -> dict[str, str]:
    """Keras keeps heads apart: [width, heads, width of a head]."""
    return {name: line.format(h=heads, v="d_v") for name, line in _PROJECTED.items()}


_KERAS: tuple[Spelling, ...] = (
    *_keras("MultiHeadAttention", "multi_head_attention",
            "num_heads:h@asked key_dim:d_h value_dim:d_v dropout use_bias:b=1"
            " output_shape:E_out@own_width attention_axes@refused flash_attention" + _RULES
            + _NAMED, _projected("h"), takes="own T E"),
    *_keras("GroupQueryAttention", "grouped_query_attention",
            "head_dim:d_h num_query_heads:h@asked num_key_value_heads:h_kv dropout use_bias:b=1"
            " flash_attention" + _RULES + _NAMED, _projected("h_kv"), takes="own T E",
            also=("GroupedQueryAttention",)),
    *_keras("Attention", "dot_attention",
            "use_scale@alike=0 score_mode@alike dropout seed" + _NAMED,
            {"scale": "scale:", "concat": "concat_score_weight:"}, takes="own T E"),
    *_keras("AdditiveAttention", "additive_attention",
            "use_scale@alike_only=1 dropout seed" + _NAMED,
            {"weight_v": "scale: d_a"}, takes="own T E"),
)  # fmt: skip

# --- Flax ---------------------------------------------------------------------------------------

_PARTS = {"q": "query", "k": "key", "v": "value"}
_FLAX: tuple[Spelling, ...] = (
    *row(FLAX, "MultiHeadDotProductAttention", "multi_head_attention",
         "num_heads:h@asked_flax dtype param_dtype qkv_features:A out_features:E_out"
         " broadcast_dropout dropout_rate deterministic precision kernel_init out_kernel_init"
         " bias_init out_bias_init use_bias:b=1 attention_fn decode normalize_qk@qk_norm"
         " qk_attn_weights_einsum_cls attn_weights_value_einsum_cls"
         " qkv_dot_general out_dot_general qkv_dot_general_cls out_dot_general_cls"
         " * name parent force_fp32_for_softmax",
         {**{f"weight_{x}": f"params/{name}/kernel: in h d_h" for x, name in _PARTS.items()},
          **{f"bias_{x}": f"params/{name}/bias: h d_h" for x, name in _PARTS.items()},
          "norm_q": "params/query_ln/scale: d_h", "norm_k": "params/key_ln/scale: d_h",
          "weight_o": "params/out/kernel: h d_h E_out", "bias_o": "params/out/bias: E_out"},
         takes="own T E", also=("MultiHeadAttention", "SelfAttention")),
)  # fmt: skip

SPELLINGS: tuple[Spelling, ...] = (*_TORCH, *_KERAS, *_FLAX)
