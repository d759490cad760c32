"""Stored values of neural-tangents (0.6.5, JAX 0.4.30, float64) for src/kernels: infinitely wide networks and predictions.

Run in a virtual environment with `jax==0.4.30 jaxlib==0.4.30 "numpy<2" "scipy<1.13" neural-tangents`:
    python test/golden/make_kernels.py
Writes kernels/infinite.json and kernels/predictions.json beside this file.
"""
import json
import pathlib

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as np  # noqa: E402
import neural_tangents as nt  # noqa: E402
from jax import random  # noqa: E402
from neural_tangents import stax  # noqa: E402

FOLDER = pathlib.Path(__file__).parent / "kernels"


def rounded(values):
    return [float(f"{v:.14g}") for v in np.ravel(values)]


def dense(**kw):
    return stax.Dense(**{"out_dim": 16, "W_std": 1.3, "b_std": 0.2, **kw})


def conv(**kw):
    return stax.Conv(**{"out_chan": 8, "filter_shape": (3, 3), "padding": "SAME", "W_std": 1.4, "b_std": 0.1, **kw})


def vector_networks():
    yield "erf", stax.serial(dense(), stax.Erf(), dense())
    yield "gelu", stax.serial(dense(), stax.Gelu(), dense(), stax.Gelu(), dense())
    yield "sine", stax.serial(dense(), stax.Sin(1.2, 0.8, 0.3), dense())
    yield "cosine", stax.serial(dense(), stax.Cos(0.9, 1.1, 0.2), dense())
    yield "exponential", stax.serial(dense(), stax.Exp(0.7, 0.4), dense())
    yield "leaky relu", stax.serial(dense(), stax.LeakyRelu(0.1), dense(), stax.LeakyRelu(0.1), dense())
    yield "abs", stax.serial(dense(), stax.Abs(), dense())
    yield "quadrature", stax.serial(dense(), stax.ElementwiseNumerical(jax.numpy.tanh, deg=25), dense())
    yield "layer norm", stax.serial(dense(), stax.LayerNorm(), stax.Relu(), dense(), stax.LayerNorm(), stax.Erf(), dense())
    yield "dropout", stax.serial(dense(), stax.Relu(), stax.Dropout(0.8, mode="train"), dense(), stax.Relu(), dense())
    yield "residual", stax.serial(
        dense(), stax.FanOut(2), stax.parallel(stax.Identity(), stax.serial(stax.Relu(), dense())), stax.FanInSum(), stax.Relu(), dense())
    yield "standard", stax.serial(
        dense(out_dim=20, parameterization="standard"), stax.Relu(), dense(out_dim=30, parameterization="standard"), stax.Erf(), dense(out_dim=1, parameterization="standard"))
    yield "standard without bias", stax.serial(
        dense(out_dim=20, parameterization="standard", b_std=None), stax.Relu(), dense(out_dim=1, parameterization="standard", b_std=None))


def image_networks():
    yield "conv flatten", stax.serial(conv(), stax.Relu(), conv(strides=(2, 2)), stax.Relu(), stax.Flatten(), dense())
    yield "conv valid", stax.serial(conv(filter_shape=(2, 3), padding="VALID"), stax.Erf(), conv(padding="VALID", strides=(1, 2)), stax.Relu(), stax.Flatten(), dense())
    yield "conv global pool", stax.serial(conv(), stax.Relu(), conv(strides=(2, 2)), stax.Gelu(), stax.GlobalAvgPool(), dense())
    yield "conv average pool", stax.serial(conv(), stax.Relu(), stax.AvgPool((2, 2), (2, 2)), conv(), stax.Relu(), stax.Flatten(), dense())
    yield "average pool same", stax.serial(conv(), stax.Relu(), stax.AvgPool((3, 2), (2, 2), "SAME"), conv(), stax.Erf(), stax.GlobalAvgPool(), dense())
    yield "conv layer norm", stax.serial(conv(), stax.LayerNorm(), stax.Relu(), stax.GlobalAvgPool(), dense())
    yield "residual conv", stax.serial(
        conv(), stax.FanOut(2), stax.parallel(conv(filter_shape=(1, 1), strides=(2, 2)), stax.serial(stax.Relu(), conv(strides=(2, 2)), stax.Relu(), conv())),
        stax.FanInSum(), stax.Relu(), stax.Flatten(), dense())
    yield "conv standard", stax.serial(
        conv(out_chan=7, parameterization="standard"), stax.Relu(), conv(out_chan=5, parameterization="standard"), stax.Relu(), stax.Flatten(), dense(out_dim=1, parameterization="standard"))
    for mechanism in ("SOFTMAX", "IDENTITY", "RELU", "ABS"):
        yield f"attention {mechanism.lower()}", stax.serial(
            conv(), stax.Relu(), stax.GlobalSelfAttention(8, 8, 8, 4, W_key_std=1.1, W_value_std=1.2, W_query_std=0.9, W_out_std=1.3, b_std=0.3, attention_mechanism=mechanism),
            stax.Relu(), stax.GlobalAvgPool(), dense())


def kernels(network, x, y):
    out = {}
    for name, first, second in (("self", x, None), ("cross", x, y)):
        k = network[2](first, second, ("nngp", "ntk"))
        out[name] = {"nngp": rounded(k.nngp), "ntk": rounded(k.ntk)}
    return out


def infinite():
    keys = random.split(random.PRNGKey(3), 4)
    sets = {"vectors": (random.normal(keys[0], (3, 4)), random.normal(keys[1], (2, 4))),
            "images": (random.normal(keys[2], (2, 5, 6, 2)), random.normal(keys[3], (2, 5, 6, 2)))}
    cases = {}
    for kind, networks in (("vectors", vector_networks()), ("images", image_networks())):
        for name, network in networks:
            cases[name] = {"kind": kind, **kernels(network, *sets[kind])}
    inputs = {kind: [{"shape": list(a.shape), "data": rounded(a)} for a in pair] for kind, pair in sets.items()}
    return {"inputs": inputs, "cases": cases}


def predictions():
    keys = random.split(random.PRNGKey(5), 5)
    x, x_test, y = random.normal(keys[0], (4, 3)), random.normal(keys[1], (2, 3)), random.normal(keys[2], (4, 2))
    f, f_test = random.normal(keys[3], (4, 2)), random.normal(keys[4], (2, 2))
    network = stax.serial(dense(), stax.Relu(), dense())
    k = network[2](x, x, ("nngp", "ntk"))
    k_test = network[2](x_test, x, ("nngp", "ntk"))
    k_test_test = network[2](x_test, x_test, ("nngp", "ntk"))
    out = {"train": {"nngp": rounded(k.nngp), "ntk": rounded(k.ntk)}, "testTrain": {"nngp": rounded(k_test.nngp), "ntk": rounded(k_test.ntk)},
           "testTest": {"nngp": rounded(k_test_test.nngp), "ntk": rounded(k_test_test.ntk)},
           "targets": rounded(y), "initial": rounded(f), "initialTest": rounded(f_test), "flow": [], "momentum": [], "posterior": []}
    for rate, regularisation, absolute in ((1.0, 0.0, False), (0.5, 0.01, False), (0.5, 0.01, True)):
        predict = nt.predict.gradient_descent_mse(k.ntk, y, learning_rate=rate, diag_reg=regularisation, diag_reg_absolute_scale=absolute)
        for time in (0.7, 20.0, None):
            train, test = predict(time, f, f_test, k_test.ntk)
            out["flow"].append({"learningRate": rate, "regularisation": regularisation, "absolute": absolute, "time": time, "train": rounded(train), "test": rounded(test)})
    for momentum in (0.0, 0.5, 0.9):
        predict = nt.predict.gradient_descent(lambda a, b: 0.5 * np.mean((a - b) ** 2), k.ntk, y, learning_rate=0.3, momentum=momentum)
        for time in (2.0, 9.0):
            train, test = predict(time, f, f_test, k_test.ntk)
            out["momentum"].append({"learningRate": 0.3, "momentum": momentum, "time": time, "train": rounded(train), "test": rounded(test)})
    both = network[2]
    ensemble = nt.predict.gradient_descent_mse_ensemble(both, x, y, diag_reg=1e-3)
    for time in (None, 5.0):
        for get in ("nngp", "ntk"):
            found = ensemble(t=time, x_test=x_test, get=get, compute_cov=True)
            out["posterior"].append({"time": time, "kernel": get, "mean": rounded(found.mean), "covariance": rounded(found.covariance)})
    return out


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, values in (("infinite", infinite()), ("predictions", predictions())):
        (FOLDER / f"{name}.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")
