"""Normalisation, softmax, attention."""
import jax
import jax.numpy as jnp
import numpy as np

from .golden import derivatives, golden


def layer(rng, f, arguments, extra=None):
    """L = sum(c * sin(y)), y = f(arguments)."""
    y = f(arguments)
    c = rng.standard_normal(y.shape)
    inputs, outputs, note = derivatives(rng, lambda a: jnp.sum(c * jnp.sin(f(a))), arguments, {**(extra or {}), "c": c})
    return inputs, {"y": y, **outputs}, note


def normalised(x, axes, epsilon=1e-5):
    centred = x - x.mean(axes, keepdims=True)
    return centred / jnp.sqrt(jnp.mean(centred ** 2, axes, keepdims=True) + epsilon)


def scale_and_bias(rng, width):
    return {"scale": 1 + 0.3 * rng.standard_normal(width), "bias": 0.3 * rng.standard_normal(width)}


@golden
def batch_norm_train(rng):
    """Training mode, x [4,3,2,2]: per channel, mean m and biased variance s over batch, row, column;
    y = (x - m) / sqrt(s + 1e-5) * scale[channel] + bias[channel]. L = sum(c * sin(y)); m and s depend on x. Outputs mean, variance: m, s [3]."""
    x, channel = rng.standard_normal((4, 3, 2, 2)), (slice(None), None, None)
    f = lambda a: normalised(a["x"], (0, 2, 3)) * a["scale"][channel] + a["bias"][channel]
    inputs, outputs, note = layer(rng, f, {"x": x, **scale_and_bias(rng, 3)})
    return inputs, {**outputs, "mean": x.mean((0, 2, 3)), "variance": x.var((0, 2, 3))}, note


@golden
def layer_norm(rng):
    """x [3,6], over the last axis: y = (x - mean) / sqrt(variance + 1e-5) * scale + bias, biased variance. L = sum(c * sin(y))."""
    f = lambda a: normalised(a["x"], -1) * a["scale"] + a["bias"]
    return layer(rng, f, {"x": 2 * rng.standard_normal((3, 6)) + 1, **scale_and_bias(rng, 6)})


@golden
def group_norm(rng):
    """x [2,4,3,2] in 2 groups of channels (0-1, 2-3): mean and biased variance over the group's channels, rows, columns of each
    example; y = (x - mean) / sqrt(variance + 1e-5) * scale[channel] + bias[channel]. L = sum(c * sin(y))."""
    channel = (slice(None), None, None)
    f = lambda a: (normalised(a["x"].reshape(2, 2, -1), -1).reshape(a["x"].shape) * a["scale"][channel] + a["bias"][channel])
    return layer(rng, f, {"x": rng.standard_normal((2, 4, 3, 2)), **scale_and_bias(rng, 4)})


@golden
def rms_norm(rng):
    """x [3,6]: y = x / sqrt(mean of x^2 over the last axis + 1e-6) * scale. L = sum(c * sin(y))."""
    f = lambda a: a["x"] / jnp.sqrt(jnp.mean(a["x"] ** 2, -1, keepdims=True) + 1e-6) * a["scale"]
    return layer(rng, f, {"x": rng.standard_normal((3, 6)), "scale": 1 + 0.3 * rng.standard_normal(6)})


def causal_attention(q, k, v):
    hidden = jnp.triu(jnp.ones((q.shape[-2], k.shape[-2]), bool), 1)
    scores = jnp.where(hidden, -jnp.inf, q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]))
    return jax.nn.softmax(scores, -1) @ v


@golden
def attention(rng):
    """q [4,3], k [5,3], v [5,2], no mask: y = softmax(q k^T / sqrt(3), over keys) v. L = sum(c * sin(y))."""
    f = lambda a: jax.nn.softmax(a["q"] @ a["k"].T / np.sqrt(3), -1) @ a["values"]
    arguments = {"q": rng.standard_normal((4, 3)), "k": rng.standard_normal((5, 3)), "values": rng.standard_normal((5, 2))}
    inputs, outputs, note = layer(rng, f, arguments)
    return inputs, outputs, "The argument v of the formula is the input named values. " + note


@golden
def attention_causal_multi_head(rng):
    """x [2,4,6]; qkv = x@wqkv + bqkv [2,4,18], split in thirds q, k, v, each reshaped to [2,4,2 heads,3] and transposed to
    [2,2,4,3]; a = softmax(q k^T / sqrt(3), with key > query masked out) v; transposed back and reshaped to [2,4,6];
    y = a@wout + bout. L = sum(c * sin(y))."""
    arguments = {"wqkv": rng.standard_normal((6, 18)) / 2, "bqkv": 0.2 * rng.standard_normal(18),
                 "wout": rng.standard_normal((6, 6)) / 2, "bout": 0.2 * rng.standard_normal(6), "x": rng.standard_normal((2, 4, 6))}

    def f(a):
        qkv = a["x"] @ a["wqkv"] + a["bqkv"]
        q, k, v = (part.reshape(2, 4, 2, 3).swapaxes(1, 2) for part in jnp.split(qkv, 3, axis=-1))
        return causal_attention(q, k, v).swapaxes(1, 2).reshape(2, 4, 6) @ a["wout"] + a["bout"]

    return layer(rng, f, arguments)


@golden
def log_softmax(rng):
    """x [3,5]: y = x - logsumexp(x) along the last axis. L = sum(c * sin(y))."""
    return layer(rng, lambda a: jax.nn.log_softmax(a["x"], -1), {"x": 2 * rng.standard_normal((3, 5))})


@golden
def softmax_axis_zero(rng):
    """x [4,3]: y = exp(x) / sum of exp(x) along axis 0. L = sum(c * sin(y)). Also jacobian [4,3,4,3] = dy/dx."""
    x = rng.standard_normal((4, 3))
    inputs, outputs, note = layer(rng, lambda a: jax.nn.softmax(a["x"], 0), {"x": x})
    return inputs, {**outputs, "jacobian": jax.jacrev(lambda x: jax.nn.softmax(x, 0))(x)}, note


@golden
def cross_entropy_smoothed(rng):
    """z [4,5], labels: target t = 0.9 * onehot(labels) + 0.1 / 5. L = mean over rows of -sum(t * log_softmax(z))."""
    z, labels = 2 * rng.standard_normal((4, 5)), rng.integers(0, 5, 4)
    target = 0.9 * jax.nn.one_hot(labels, 5) + 0.02
    return derivatives(rng, lambda a: -jnp.mean(jnp.sum(target * jax.nn.log_softmax(a["z"]), -1)), {"z": z}, {"labels": labels})


@golden
def logsumexp_extremes(rng):
    """y [6] = logsumexp(x) along rows of x [6,3], where exp(x) itself would overflow or underflow. Outputs y, grad = d sum(y)/dx
    (the softmax of the rows), hvp = Hessian of sum(y) times v."""
    x = np.array([[1e3, 1e3, 1e3], [-1e3, -1e3, -1e3 + 1], [1e3, 0, -1e3], [1e-310, 0, -1e-310], [700, 710, 709.5], [-745, -750, -1e3]])
    v = rng.standard_normal(x.shape)
    total = lambda x: jnp.sum(jax.nn.logsumexp(x, -1))
    gradient, product = jax.jvp(jax.grad(total), (x,), (v,))
    return {"x": x, "v": v}, {"y": jax.nn.logsumexp(x, -1), "grad": gradient, "hvp": product}


@golden
def softplus_sigmoid_extremes(rng):
    """At each x: softplus = log(1+exp(x)), softplus.d1 and softplus.d2 its first two derivatives; sigmoid = 1/(1+exp(-x)),
    sigmoid.d1 its derivative; log_sigmoid = -softplus(-x); log_sigmoid.d1. All finite, with no overflow on the way;
    compare absolutely (the smallest values may flush to zero)."""
    x = jnp.array([-1e3, -745.0, -40.0, -1.0, 0.0, 1e-310, 1.0, 40.0, 745.0, 1e3])
    each = lambda f, order: jax.vmap(f if order == 0 else jax.grad(f) if order == 1 else jax.grad(jax.grad(f)))(x)
    return {"x": x}, {"softplus": each(jax.nn.softplus, 0), "softplus.d1": each(jax.nn.softplus, 1), "softplus.d2": each(jax.nn.softplus, 2),
                      "sigmoid": each(jax.nn.sigmoid, 0), "sigmoid.d1": each(jax.nn.sigmoid, 1),
                      "log_sigmoid": each(jax.nn.log_sigmoid, 0), "log_sigmoid.d1": each(jax.nn.log_sigmoid, 1)}
