"""Convolutions and pooling. Images are [batch, channel, ...space], kernels [out, in / groups, ...space]."""
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .golden import cross_entropy, derivatives, golden

LAYOUT = {1: ("NCH", "OIH", "NCH"), 2: ("NCHW", "OIHW", "NCHW"), 3: ("NCDHW", "OIDHW", "NCDHW")}
RULE = """ y = cross-correlation (the kernel is not flipped) of the image x with the kernel w. L = sum(c * sin(y)), y also an output."""


def convolution(rng, x_shape, w_shape, strides, padding, lhs_dilation=None, rhs_dilation=None, groups=1):
    rank = len(x_shape) - 2
    x, w = rng.standard_normal(x_shape), rng.standard_normal(w_shape) / np.sqrt(np.prod(w_shape[1:]))
    convolve = lambda x, w: lax.conv_general_dilated(
        x, w, strides, padding, lhs_dilation=lhs_dilation, rhs_dilation=rhs_dilation,
        dimension_numbers=LAYOUT[rank], feature_group_count=groups)
    y = convolve(x, w)
    c = rng.standard_normal(y.shape)
    inputs, outputs, note = derivatives(
        rng, lambda arguments: jnp.sum(c * jnp.sin(convolve(arguments["x"], arguments["w"]))), {"x": x, "w": w}, {"c": c})
    return inputs, {"y": y, **outputs}, RULE.strip() + " " + note


@golden
def conv2d_valid(rng):
    """2-d convolution, strides 1, no padding."""
    return convolution(rng, (2, 3, 5, 6), (4, 3, 3, 2), (1, 1), [(0, 0), (0, 0)])


@golden
def conv2d_same(rng):
    """2-d convolution, strides 1, padding SAME: [(1,1),(0,1)] for the kernel 3x2 (low = total // 2)."""
    return convolution(rng, (2, 2, 5, 4), (3, 2, 3, 2), (1, 1), "SAME")


@golden
def conv2d_same_strided(rng):
    """2-d convolution, strides (2,2), padding SAME: output extent = ceil(input / stride), total padding =
    max((output-1)*stride + kernel - input, 0), low = total // 2: here [(0,1),(1,1)] for the input 6x7 and the kernel 3x3."""
    return convolution(rng, (2, 2, 6, 7), (3, 2, 3, 3), (2, 2), "SAME")


@golden
def conv2d_strided_asymmetric_padding(rng):
    """2-d convolution, strides (2,3), zero padding (low, high): rows (2,0), columns (1,3)."""
    return convolution(rng, (2, 2, 6, 7), (3, 2, 3, 3), (2, 3), [(2, 0), (1, 3)])


@golden
def conv2d_stride_leaves_a_rest(rng):
    """2-d convolution, strides (3,2), no padding, input 7x8, kernel 2x3: the last rows and columns are in no window."""
    return convolution(rng, (1, 2, 7, 8), (2, 2, 2, 3), (3, 2), [(0, 0), (0, 0)])


@golden
def conv2d_lhs_dilation(rng):
    """2-d convolution, strides 1, the image dilated by (2,3): 1 zero row and 2 zero columns between neighbours, none at the
    edges (lhs_dilation; a transposed convolution); zero padding after the dilation: rows (2,1), columns (2,2)."""
    return convolution(rng, (2, 2, 3, 3), (3, 2, 3, 3), (1, 1), [(2, 1), (2, 2)], lhs_dilation=(2, 3))


@golden
def conv2d_rhs_dilation(rng):
    """2-d convolution, strides (1,2), the kernel dilated by (2,2) (rhs_dilation: one zero between taps), padding ((2,2),(1,2))."""
    return convolution(rng, (2, 2, 6, 6), (3, 2, 3, 2), (1, 2), [(2, 2), (1, 2)], rhs_dilation=(2, 2))


@golden
def conv2d_grouped(rng):
    """2-d convolution in 2 feature groups (input channels 0-1 make output channels 0-2, 2-3 make 3-5), strides 1, padding 1."""
    return convolution(rng, (2, 4, 4, 4), (6, 2, 3, 3), (1, 1), [(1, 1), (1, 1)], groups=2)


@golden
def conv2d_depthwise(rng):
    """2-d depthwise convolution: 3 feature groups of one input channel, 2 output channels each, strides (2,1), padding ((1,1),(0,2))."""
    return convolution(rng, (2, 3, 5, 4), (6, 1, 3, 3), (2, 1), [(1, 1), (0, 2)], groups=3)


@golden
def conv2d_everything(rng):
    """2-d convolution with strides (2,1), padding ((1,2),(0,1)), image dilation (2,1), kernel dilation (1,2), 2 feature groups."""
    return convolution(rng, (2, 4, 4, 5), (4, 2, 2, 2), (2, 1), [(1, 2), (0, 1)], (2, 1), (1, 2), groups=2)


@golden
def conv1d(rng):
    """1-d convolution, stride 2, padding (2,1)."""
    return convolution(rng, (3, 2, 9), (4, 2, 4), (2,), [(2, 1)])


@golden
def conv3d(rng):
    """3-d convolution, strides (1,2,1), padding ((1,0),(1,1),(0,1))."""
    return convolution(rng, (1, 2, 3, 4, 3), (3, 2, 2, 3, 2), (1, 2, 1), [(1, 0), (1, 1), (0, 1)])


def pooled(rng, pool, shape, padding_note=""):
    x = rng.standard_normal(shape)
    y = pool(x)
    c = rng.standard_normal(y.shape)
    inputs, outputs, note = derivatives(rng, lambda a: jnp.sum(c * jnp.sin(pool(a["x"]))), {"x": x}, {"c": c})
    return inputs, {"y": y, **outputs}, note


@golden
def max_pool2d(rng):
    """y = maximum over windows 2x2, strides (2,2), no padding, of x [2,3,6,4]. L = sum(c * sin(y)). No ties."""
    return pooled(rng, lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID"), (2, 3, 6, 4))


@golden
def max_pool2d_overlapping(rng):
    """y = maximum over windows 3x3, strides (2,2), padded with -infinity by ((1,1),(0,1)), of x [2,2,5,6]. L = sum(c * sin(y)).
    No ties; an element may be the maximum of several windows."""
    padding = ((0, 0), (0, 0), (1, 1), (0, 1))
    return pooled(rng, lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 3, 3), (1, 1, 2, 2), padding), (2, 2, 5, 6))


@golden
def average_pool2d(rng):
    """y = mean over windows 2x2, strides (2,2), no padding, of x [2,2,4,6]. L = sum(c * sin(y))."""
    return pooled(rng, lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID") / 4, (2, 2, 4, 6))


@golden
def average_pool2d_padded(rng):
    """y = mean over windows 3x2, strides (2,1), zero padding ((1,1),(0,1)), of x [2,2,5,4]; the mean divides by the number of
    window elements inside the image (padding not counted). L = sum(c * sin(y))."""
    padding = ((0, 0), (0, 0), (1, 1), (0, 1))
    total = lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 1, 3, 2), (1, 1, 2, 1), padding)
    return pooled(rng, lambda x: total(x) / total(jnp.ones_like(x)), (2, 2, 5, 4))


@golden
def convolutional_network(rng):
    """h1 = tanh(conv(x, k1) + b1[channel]): strides 1, padding 1 all around. h2 = mean over 2x2 windows, strides 2.
    h3 = tanh(conv(h2, k2) + b2[channel]): no padding. Flatten in the order channel, row, column; z = h3@w + b.
    L = mean over rows of -log_softmax(z)[row, labels[row]]. Convolutions do not flip the kernel."""
    x, labels = rng.standard_normal((4, 1, 6, 6)), rng.integers(0, 3, 4)
    p = {"k1": rng.standard_normal((3, 1, 3, 3)) / 3, "b1": 0.2 * rng.standard_normal(3),
         "k2": rng.standard_normal((2, 3, 2, 2)) / 3, "b2": 0.2 * rng.standard_normal(2),
         "w": rng.standard_normal((8, 3)) / 3, "b": 0.2 * rng.standard_normal(3)}

    def loss(p):
        conv = lambda x, k, b, pad: lax.conv_general_dilated(
            x, k, (1, 1), [(pad, pad)] * 2, dimension_numbers=LAYOUT[2]) + b[:, None, None]
        h = jnp.tanh(conv(x, p["k1"], p["b1"], 1))
        h = lax.reduce_window(h, 0.0, lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID") / 4
        h = jnp.tanh(conv(h, p["k2"], p["b2"], 0))
        return cross_entropy(h.reshape(4, -1) @ p["w"] + p["b"], labels)

    return derivatives(rng, loss, p, {"x": x, "labels": labels})
