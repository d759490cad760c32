"""Registration and the shared shapes of golden cases."""
import inspect
import zlib

import jax
import jax.numpy as jnp
import numpy as np

CASES = {}


def golden(function):
    """Registers `function(rng) -> (inputs, outputs)`; its name and docstring become the golden's name and description."""
    name = function.__name__.replace("_", "-")
    if name in CASES:
        raise ValueError(f"two goldens are named {name}")
    CASES[name] = function
    return function


def build(name):
    """The golden `name` as plain data, with inputs drawn from a generator seeded by the name."""
    function = CASES[name]
    inputs, outputs, *notes = function(np.random.default_rng(zlib.crc32(name.encode())))
    return {
        "name": name, "description": " ".join([" ".join(inspect.cleandoc(function.__doc__).split()), *notes]),
        "dtype": "float64", "source": f"jax {jax.__version__}",
        "inputs": {key: plain(value) for key, value in inputs.items()},
        "outputs": {key: plain(value) for key, value in outputs.items()},
    }


def plain(value):
    array = np.asarray(value)
    integer = array.dtype.kind in "iub"
    if not integer and (array.dtype != np.float64 or not np.isfinite(array).all()):
        raise ValueError(f"goldens hold finite float64 or integers; got {array.dtype} {array}")
    entry = {"shape": list(array.shape), "data": array.astype(np.int64 if integer else np.float64).ravel().tolist()}
    return {"dtype": "int32", **entry} if integer else entry


def directions(rng, arguments):
    return {key: rng.standard_normal(np.shape(value)) for key, value in arguments.items()}


def prefixed(prefix, tree):
    return {f"{prefix}.{key}": value for key, value in tree.items()}


def hvp(f, arguments, v):
    as_jax = lambda tree: {key: jnp.asarray(value) for key, value in tree.items()}
    return jax.jvp(jax.grad(f), (as_jax(arguments),), (as_jax(v),))[1]


def derivatives(rng, f, arguments, constants=None):
    """Value, gradient and one joint HVP of a scalar `f(arguments)`, `arguments` a flat dict of float arrays."""
    v = directions(rng, arguments)
    arguments_jax = {key: jnp.asarray(value) for key, value in arguments.items()}
    value, gradient = jax.value_and_grad(f)(arguments_jax)
    inputs = {**arguments, **(constants or {}), **prefixed("v", v)}
    outputs = {"value": value, **prefixed("grad", gradient), **prefixed("hvp", hvp(f, arguments, v))}
    note = (f"Output value = L; grad.K = dL/dK for K in {{{', '.join(arguments)}}}; hvp.K = the K part of the Hessian of L in "
            "all of these jointly, times the vector whose parts are the inputs v.K.")
    return inputs, outputs, note


def mlp_parameters(rng, dims):
    parameters = {}
    for i, (inputs, outputs) in enumerate(zip(dims, dims[1:]), 1):
        parameters[f"w{i}"] = rng.standard_normal((inputs, outputs)) / np.sqrt(inputs)
        parameters[f"b{i}"] = 0.3 * rng.standard_normal(outputs)
    return parameters


def mlp(p, x, activation=jnp.tanh):
    """x@w1+b1 -> activation -> ... -> x@wN+bN."""
    count = len(p) // 2
    for i in range(1, count + 1):
        x = x @ p[f"w{i}"] + p[f"b{i}"]
        x = activation(x) if i < count else x
    return x


def cross_entropy(logits, labels):
    """Mean over rows of -log_softmax(logits)[row, labels[row]]."""
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()
