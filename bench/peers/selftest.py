"""Runs both peers on random weights and checks that they agree.

    python bench/peers/selftest.py [--models mlp,lenet] [--repeat 10] [--vectors 3] [--pytorch PATH] [--jax PATH]

Exits with 1 when any two variants differ by more than 1e-4, relative to the norm of the product.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from protocol import read_tensor, write_case

HERE = os.path.dirname(os.path.abspath(__file__))
TOLERANCE = 1e-4


def random_case(model, seed, vectors):
    """(parameters, constants, x, labels) of a model with random weights, of the sizes that the benchmark uses."""
    rng = np.random.default_rng(seed)
    normal = lambda shape, deviation: (deviation * rng.standard_normal(shape)).astype(np.float32)
    parameters, constants = {}, {}

    def dense(name, inputs, outputs, bias=True):
        parameters[f"{name}.weight"] = normal((inputs, outputs), inputs ** -0.5)
        if bias:
            parameters[f"{name}.bias"] = normal((outputs,), 0.1)

    def conv(name, outputs, inputs, size, bias):
        parameters[f"{name}.weight"] = normal((outputs, inputs, size, size), (2 / (inputs * size * size)) ** 0.5)
        if bias:
            parameters[f"{name}.bias"] = normal((outputs,), 0.1)

    def norm(name, width, running):
        parameters[f"{name}.scale"] = 1 + normal((width,), 0.1)
        parameters[f"{name}.bias"] = normal((width,), 0.1)
        if running:
            constants[f"{name}.mean"] = normal((width,), 0.1)
            constants[f"{name}.variance"] = (1 + rng.random(width)).astype(np.float32)

    if model == "mlp":
        dims = [784, 256, 256, 10]
        for i, (inputs, outputs) in enumerate(zip(dims, dims[1:])):
            dense(f"layers.{i}", inputs, outputs)
        x, labels = normal((1024, 784), 1), rng.integers(0, 10, 1024)
    elif model == "lenet":
        conv("conv1", 6, 1, 5, bias=True)
        conv("conv2", 16, 6, 5, bias=True)
        dense("dense1", 400, 120)
        dense("dense2", 120, 84)
        dense("dense3", 84, 10)
        x, labels = normal((256, 1, 28, 28), 1), rng.integers(0, 10, 256)
    elif model == "resnet20":
        conv("stem.conv", 16, 1, 3, bias=False)
        norm("stem.norm", 16, running=True)
        channels = 16
        for stage, width in enumerate((16, 32, 64)):
            for block in range(3):
                name = f"stages.{stage}.{block}"
                conv(f"{name}.conv1", width, channels, 3, bias=False)
                norm(f"{name}.norm1", width, running=True)
                conv(f"{name}.conv2", width, width, 3, bias=False)
                norm(f"{name}.norm2", width, running=True)
                channels = width
        dense("head", 64, 10)
        x, labels = normal((128, 1, 28, 28), 1), rng.integers(0, 10, 128)
    elif model == "transformer":
        parameters["embed.token"], parameters["embed.position"] = normal((64, 128), 1), normal((64, 128), 0.1)
        for layer in range(2):
            name = f"blocks.{layer}"
            norm(f"{name}.norm1", 128, running=False)
            dense(f"{name}.attention.qkv", 128, 384)
            dense(f"{name}.attention.out", 128, 128)
            norm(f"{name}.norm2", 128, running=False)
            dense(f"{name}.mlp.0", 128, 512)
            dense(f"{name}.mlp.1", 512, 128)
        norm("norm", 128, running=False)
        dense("head", 128, 64, bias=False)
        x, labels = rng.integers(0, 64, (16, 64)), rng.integers(0, 64, (16, 64))
    else:
        raise ValueError(f"model must be mlp, lenet, resnet20 or transformer; got {model}")
    config = {"heads": 4} if model == "transformer" else {}
    directions = [{n: normal(p.shape, 1) for n, p in parameters.items()} for _ in range(vectors)]
    return {"model": model, "config": config, "parameters": parameters, "constants": constants,
            "x": x.astype(np.int32) if x.dtype.kind == "i" else x, "labels": labels.astype(np.int32), "vectors": directions}


class Peer:
    def __init__(self, python, script):
        self.process = subprocess.Popen([python, os.path.join(HERE, script)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer ended with code {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def flat_products(answer):
    return np.stack([np.concatenate([read_tensor(answer["dir"], product[name]).ravel() for name in sorted(product)])
                     for product in answer["products"]]).astype(np.float64)


def test_model(model, peers, options, directory):
    """Prints one line a variant; returns the number of failures."""
    write_case(directory, **random_case(model, seed=7, vectors=options.vectors))
    rows, reference, failures = [], None, 0
    for peer_name, peer in peers.items():
        for variant in peer.ask(cmd="load", dir=directory)["variants"]:
            run = peer.ask(cmd="run", variant=variant, repeat=options.repeat)
            if not run["ok"]:
                print(f"{model:12} {peer_name:8} {variant:22} not available: {run['error'][:100]}")
                # Every library is needed; its extra ways may lack a rule for some layer.
                failures += variant in ("double-backward", "retained", "jit", "linearize")
                continue
            products = flat_products(peer.ask(cmd="result", variant=variant))
            reference = products if reference is None else reference
            error = np.max(np.linalg.norm(products - reference, axis=1) / np.linalg.norm(reference, axis=1))
            per_product = statistics.median(run["ms"]) / run["products_per_call"]
            failures += not error < TOLERANCE
            print(f"{model:12} {peer_name:8} {variant:22} {per_product:9.2f} ms a product (median), prepare "
                  f"{run['prepare_ms']:8.2f} ms, first {run['first_ms']:8.0f} ms, peak {run['peak_rss_mb']:6.0f} MB, "
                  f"difference {error:.1e}{'' if error < TOLERANCE else '  TOO LARGE'}", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="mlp,lenet,resnet20,transformer")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--vectors", type=int, default=3)
    parser.add_argument("--pytorch", default=sys.executable, help="Python that has torch")
    parser.add_argument("--jax", default=sys.executable, help="Python that has jax")
    options = parser.parse_args()
    peers = {"pytorch": Peer(options.pytorch, "pytorch_hvp.py"), "jax": Peer(options.jax, "jax_hvp.py")}
    for peer in peers.values():
        print(json.dumps(peer.ask(cmd="info")))
    failures = 0
    for model in options.models.split(","):
        with tempfile.TemporaryDirectory() as directory:
            failures += test_model(model, peers, options, directory)
    for peer in peers.values():
        peer.close()
    print("all variants agree" if failures == 0 else f"{failures} failures")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
