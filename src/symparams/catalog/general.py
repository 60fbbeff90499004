"""Layers of their own kind: products of inputs, equations, graphs, sets, states, word classes.

Sources: Goodfellow et al. 2013 (maxout); Srivastava et al. 2015 (highway); Kipf & Welling 2017
(graph convolution); Velickovic et al. 2018 (graph attention); Zaheer et al. 2017 (deep sets); Gu
& Dao 2023 (Mamba); Grave et al. 2017 (adaptive softmax); LeCun et al. 1998 (subsampling, RBF).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..axes import Axis, Box, axes, axis
from ..declaration import Build, Define, Key, Layer, Part, Tensor, bias, part, weight
from ..equation import Equation, leading, read_equation
from ..terms import ONE, ZERO, Ceil, Floor, Num, S, Term
from . import keys
from .convolution import depthwise
from .dense import linear
from .keys import BIAS, C_IN, C_OUT, SPACE, marks, outs
from .normalization import rms_norm
from .pooling import pool


def _site_keys(names: tuple[str, ...]) -> tuple[Key, ...]:
    return tuple(Key(name, name, kind="extent") for name in names)


def _each(tensor: Tensor, names: tuple[str, ...]) -> Tensor:
    """The same at every one of these sites, each by itself."""
    return tensor.diagonal(*names).shared_over(*names) if names else tensor


def bilinear(lead: int = 0) -> Layer:
    """A weight for every pair of a value of one input and a value of the other."""
    names = leading(lead)
    out = axes(" ".join((*names, "C_out")), "out")
    first, second = axis("C_1", "i", "feature", "in"), axis("C_2", "j", "feature", "in")
    box = (*axes(" ".join(names), "in"), first, second)
    pairs = _each(weight(out, box), names)
    moved = tuple(a.name for a in pairs.inputs if a not in (first, second))
    product = replace(pairs, factors=(("x", (*moved, "C_1")), ("z", (*moved, "C_2"))))
    return Layer(
        id="bilinear",
        family="bilinear",
        inputs=box,
        outputs=out,
        tensors=(product, bias(out).shared_over(*names) if names else bias(out)),
        keys=(
            Key("C_1", "in1_features", also=("in1_channels", "C_in")),
            Key("C_2", "in2_features", also=("in2_channels",)), C_OUT, *_site_keys(names), BIAS,
        ),
        options=(("lead", lead),),
    )  # fmt: skip


# --- a dense layer by its equation ----------------------------------------------------------------


def einsum_dense(
    equation: str = "abc,cd->abd", bias_axes: str | None = "d", lead: int = 0
) -> Layer:
    """A dense layer between chosen axes: the equation says which are summed, and which stay."""
    read = read_equation(equation, lead)
    out, box = _ends(read)
    apart = tuple(n for n in read.kept if n not in read.kernel)
    kernel = weight(out, box)
    if read.summed:
        kernel = kernel.shared_over(*read.summed, summed=True)
    if read.kept:
        kernel = kernel.diagonal(*read.kept)
    kernel = kernel.shared_over(*apart) if apart else kernel
    tensors = [kernel]
    if bias_axes is not None:
        held = {f"n_{letter}" for letter in bias_axes}
        free = tuple(n for n in read.output if n not in held)
        shift = bias(out, letter="beta")
        tensors.append(shift.shared_over(*free) if free else shift)
    return Layer(
        id="einsum_dense",
        family="einsum_dense",
        also=("einsum", "dense by equation"),
        inputs=box,
        outputs=out,
        tensors=tuple(tensors),
        keys=(*_equation_keys(read), *((BIAS,) if bias_axes is not None else ())),
        options=(("equation", equation), ("bias_axes", bias_axes), ("lead", lead)),
    )


def _ends(read: Equation) -> tuple[Box, Box]:
    def made(name: str, side: Any) -> Axis:
        site = name in read.kept and name not in read.kernel
        return axis(name, _index(name), "lead" if site else "feature", side)

    return tuple(made(n, "out") for n in read.output), tuple(made(n, "in") for n in read.inputs)


def _index(name: str) -> str:
    """An axis's index letter: its letter in the equation, t, t1, t2 for leading axes."""
    base, _, mark = name.partition("_")
    return mark if base == "n" else "t" + mark


def _equation_keys(read: Equation) -> Iterator[Key]:
    for name in dict.fromkeys((*read.inputs, *read.output)):
        also: tuple[str, ...] = ()
        if (name,) == read.contracted:
            also = (C_IN.symbol, C_IN.code, *C_IN.also)
        elif (name,) == read.fresh:
            also = (C_OUT.symbol, C_OUT.code, *C_OUT.also)
        site = name in read.kept and name not in read.kernel
        yield Key(name, name, kind="extent" if site else "size", also=also)


# --- several dense layers in one ------------------------------------------------------------------


def maxout() -> Layer:
    """k dense layers side by side; of their outputs the largest is taken."""
    out = (axis("k", "j", "copy", "out"), *axes("C_out", "out"))
    pieces = Key("k", "pieces", also=("num_pieces",))
    return Layer(
        id="maxout",
        family="maxout",
        also=("max out",),
        inputs=axes("C_in", "in"),
        outputs=axes("C_out", "out"),
        tensors=(weight(out, axes("C_in", "in")).reading("x", "z"), bias(out).reading("x", "z")),
        keys=(C_IN, C_OUT, pieces, BIAS),
    )


def highway() -> Layer:
    """A dense layer and a gate of the same shape that mixes it with its input."""
    same: dict[str, Any] = {"C_in": S("C"), "C_out": S("C"), "b": S("b")}
    return Layer(
        id="highway",
        family="highway",
        also=("highway network",),
        inputs=axes("C", "in"),
        outputs=axes("C", "out"),
        parts=(part("transform", linear(), **same), part("gate", linear(), **same)),
        keys=(replace(keys.C, also=("C_in", "C_out", "in_features", "units")), BIAS),
    )


# --- graphs and sets ------------------------------------------------------------------------------

NODES = Key("n", "nodes", kind="extent", also=("num_nodes", "elements"))


def _node(side: Any) -> Axis:
    return axis("n", "v" if side == "out" else "u", "node", side)


def graph_conv() -> Layer:
    """Each node takes the weighted mean of its neighbours, and all use one dense layer."""
    source, result = axes("C_in", "in"), axes("C_out", "out")
    gathered: Box = (_node("out"), *axes("C_in", "out"))
    mean = weight(gathered, (_node("in"), *source), "adjacency", "a").diagonal("C_in")
    dense = weight((_node("out"), *result), (_node("in"), *source))
    return Layer(
        id="graph_conv",
        family="graph",
        also=("gcn", "graph convolution", "graph convolutional layer"),
        inputs=(_node("in"), *source),
        outputs=(_node("out"), *result),
        tensors=(
            mean.shared_over("C_in").fixed().reading("x", "h"),
            dense.diagonal("n").shared_over("n").reading("h"),
            bias((_node("out"), *result)).shared_over("n"),
        ),
        keys=(C_IN, C_OUT, NODES, BIAS),
    )


def graph_attention() -> Layer:
    """Heads that each weigh a node's neighbours by what the two nodes hold."""
    head = axis("h", "a", "head", "out")
    result: Box = (_node("out"), head, *axes("C_out", "out"))
    seen: Box = (_node("in"), head.on("in"), axis("C_out", "o", "channel", "in"))
    score: Box = (_node("out"), head)

    def vector(name: str, letter: str) -> Tensor:
        made = weight(score, seen, name, letter).diagonal("n", "h").shared_over("n")
        return made.reading("z", "e_" + letter[-1])

    mixed = replace(weight(result, seen, "scores", "alpha"), kind="dynamic")
    dense = weight(result, (_node("in"), *axes("C_in", "in")))
    return Layer(
        id="graph_attention",
        family="graph",
        also=("gat", "graph attention network"),
        inputs=(_node("in"), *axes("C_in", "in")),
        outputs=result,
        tensors=(
            dense.diagonal("n").shared_over("n").reading("x", "z"),
            vector("att_source", "a_s"),
            vector("att_target", "a_t"),
            mixed.diagonal("h", "C_out").shared_over("C_out").selected().reading("z"),
            bias(result).shared_over("n"),
        ),
        keys=(C_IN, C_OUT, Key("h", "heads", default=(ONE,), kind="modifier", also=("num_heads",)),
              NODES, BIAS),
    )  # fmt: skip


def deep_sets() -> Layer:
    """An element by itself, and the mean of all: two weights for every pair of features."""
    out: Box = (_node("out"), *axes("C_out", "out"))
    box: Box = (_node("in"), *axes("C_in", "in"))
    every = weight(out, box, "weight_all", "w_a")
    return Layer(
        id="deep_sets",
        family="deep_sets",
        also=("set layer", "permutation equivariant layer"),
        inputs=box,
        outputs=out,
        tensors=(
            weight(out, box, "weight_own", "w_o").diagonal("n").shared_over("n"),
            every.shared_over("n'", summed=True).shared_over("n"),
            bias(out).shared_over("n"),
        ),
        keys=(C_IN, C_OUT, NODES, BIAS),
    )


# --- states ---------------------------------------------------------------------------------------

WIDTH = Key("d", "hidden_size", also=("d_model", "C_in", "C_out", "in_channels", "out_channels"))
INNER = Key("d_i", "intermediate_size", also=("d_inner",))
STATE = Key("n", "state_size", also=("d_state", "ssm_state_size"))
STEPS = Key("T", "seq_len", kind="extent", also=("time_steps",))


def state_space() -> Layer:
    """A state of n numbers for each channel, each fading at its own rate; one way past it."""
    step = axis("T", "t", "time", "out")
    channel, state = axis("d_i", "c", "feature", "out"), axis("n", "s", "feature", "out")
    full, thin = (step, channel, state), (step, channel)
    fading = weight(full, tuple(a.on("in") for a in full), "A_log", "A")
    past = weight(thin, tuple(a.on("in") for a in thin), "D", "D")
    return Layer(
        id="state_space",
        family="state_space",
        also=("ssm", "s4d"),
        inputs=tuple(a.on("in") for a in thin),
        outputs=thin,
        tensors=(
            replace(fading, kind="scale").diagonal("T", lag=1).diagonal("d_i", "n")
            .shared_over("T").reading("h", "h"),
            replace(past, kind="scale").diagonal("T", "d_i").shared_over("T"),
        ),
        keys=(replace(INNER, also=(*INNER.also, "C_in", "C_out", "channels")), STATE, STEPS),
    )  # fmt: skip


def mamba() -> Layer:
    """A selective state space between two projections, after a norm."""
    d, wide, n, t, steps = S("d"), S("d_i"), S("n"), S("t"), S("T")

    def dense(name: str, come: Term, go: Term, b: Term = ZERO) -> Part:
        return part(name, linear(lead=1), C_in=come, C_out=go, b=b, T=steps)

    conv = depthwise(1, "causal")
    return Layer(
        id="mamba_block",
        family="mamba_block",
        also=("mamba", "selective state space"),
        inputs=(axis("T", "t", "time", "in"), axis("d", "c", "feature", "in")),
        outputs=(axis("T", "t", "time", "out"), axis("d", "o", "feature", "out")),
        parts=(
            part("norm", rms_norm(), d=d, T=steps, a=1),
            dense("in_proj", d, 2 * wide),
            part("conv", conv, C_in=wide, m=1, k=S("k"), L=steps, L_out=steps, b=ONE),
            dense("x_proj", wide, t + 2 * n),
            dense("dt_proj", t, wide, ONE),
            part("state_space", state_space(), d_i=wide, n=n, T=steps),
            dense("out_proj", wide, d),
        ),
        keys=MAMBA,
    )


MAMBA = (
    WIDTH,
    replace(INNER, default=(2 * S("d"),), kind="modifier"),
    replace(STATE, default=(Num(16),), kind="modifier"),
    Key("k", "conv_kernel", default=(Num(4),), kind="modifier", also=("d_conv",)),
    Key("t", "time_step_rank", default=(Ceil(S("d") / 16),), kind="modifier", also=("dt_rank",)),
    STEPS,
)


# --- classes --------------------------------------------------------------------------------------


def adaptive_log_softmax(tails: int = 1) -> Layer:
    """Frequent classes at full width; each cluster of rarer ones through fewer features.

    The head has a class for each frequent word and for each cluster; cluster i sees
    floor(C_in / v^i) features and has no bias.
    """
    cuts = tuple(f"c_{i + 1}" for i in range(tails))

    def parts() -> Iterator[Part]:
        yield part("head", linear(), C_in=S("C_in"), C_out=S("c_1") + tails, b=S("b"))
        for i, (low, high) in enumerate(zip(cuts, (*cuts[1:], "V"), strict=True)):
            thin = Floor(S("C_in") / (S("v") if i == 0 else S("v") ** (i + 1)))
            yield part(f"tail_{i + 1}_in", linear(), C_in=S("C_in"), C_out=thin, b=0)
            yield part(f"tail_{i + 1}_out", linear(), C_in=thin, C_out=S(high) - S(low), b=0)

    divisor = Key("v", "div_value", default=(Num(4),), kind="factor")
    classes = Key("V", "n_classes", also=("C_out", "out_features", "vocab_size"))
    return Layer(
        id="adaptive_log_softmax",
        family="adaptive_log_softmax",
        also=("adaptive softmax",),
        inputs=axes("C_in", "in"),
        outputs=(axis("V", "o", "feature", "out"),),
        parts=tuple(parts()),
        keys=(
            C_IN, classes, Key("c", "cutoffs", cuts, kind="sizes", option="tails"), divisor,
            Key("b", "head_bias", default=(ZERO,), kind="switch", least=0, also=("bias",)),
        ),
        options=(("tails", tails),),
    )  # fmt: skip


# --- LeNet's own ----------------------------------------------------------------------------------


def channel_affine(n: int = 2) -> Layer:
    """One factor and one bias for each channel, at every position."""
    box = axes(" ".join(("C", *SPACE[n])), "out")
    factor = weight(box, tuple(a.on("in") for a in box), "coefficient", "a")
    return Layer(
        id="channel_affine2d",
        family="channel_affine",
        also=("affine", "scale and shift"),
        inputs=tuple(a.on("in") for a in box),
        outputs=box,
        tensors=(
            factor.of_kind("scale").diagonal("C", *SPACE[n]).shared_over(*SPACE[n]),
            bias(box).shared_over(*SPACE[n]),
        ),
        keys=(keys.C, *keys.extents(SPACE[n])[:n], BIAS),
    )


def subsampling() -> Layer:
    """The sum of a window, times one coefficient for each map, plus a bias (LeNet's S2)."""
    space = SPACE[2]
    same: dict[str, Any] = {name: S(name) for name in (*space, *outs(space))}
    same |= {base + mark: S(base + mark) for base in "ksPd" for mark in marks(space)}
    ends: dict[str, Any] = {name: S(name + "_out") for name in space}
    return Layer(
        id="subsampling2d",
        family="subsampling",
        also=("subsampling", "trainable subsampling", "lenet s2"),
        inputs=axes(" ".join(("C", *space)), "in"),
        outputs=axes(" ".join(("C", *outs(space))), "out"),
        parts=(
            part("sum", pool(2, average=True), C=S("C"), **same),
            part("scale", channel_affine(), C=S("C"), b=S("b"), **ends),
        ),
        keys=(
            keys.C, keys.C_SAME, keys.kernel(space), *keys.extents(space),
            keys.stride(space, window=True), *keys.padding(space, "number"),
            keys.dilation(space), BIAS,
        ),
        defines=(*keys.window_sizes(space, "number"), Define("C_out", S("C"))),
    )  # fmt: skip


def rbf(fixed: bool = False) -> Layer:
    """The distance of the input from a centre, one for each output; in LeNet they are drawn."""
    centres = weight("C_out", "C_in", "centres", "w").of_kind("centre")
    return Layer(
        id="rbf",
        family="rbf",
        also=("radial basis function", "radial basis functions"),
        inputs=axes("C_in", "in"),
        outputs=axes("C_out", "out"),
        tensors=(centres.frozen() if fixed else centres,),
        keys=(C_IN, C_OUT),
        options=(("fixed", fixed),),
    )


LAYERS: Mapping[str, Build] = {
    "bilinear": bilinear,
    "einsum_dense": einsum_dense,
    "maxout": maxout,
    "highway": highway,
    "graph_conv": graph_conv,
    "graph_attention": graph_attention,
    "deep_sets": deep_sets,
    "state_space": state_space,
    "mamba_block": mamba,
    "adaptive_log_softmax": adaptive_log_softmax,
    "channel_affine2d": channel_affine,
    "subsampling2d": subsampling,
    "rbf": rbf,
}
