"""Hessian-vector products in JAX, as a server; README.md describes the protocol."""
import os

THREADS = int(os.environ.get("THALWEG_PEER_THREADS", "2"))
# XLA's CPU client sizes its thread pool from NPROC.
os.environ["NPROC"] = str(THREADS)
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np

import jax_ops
import models
from protocol import ProductServer


class Backend:
    name = "jax"

    def info(self):
        return {"versions": {"jax": jax.__version__, "jaxlib": jaxlib.__version__, "numpy": np.__version__},
                "threads": THREADS, "device": str(jax.devices()[0])}

    def to_numpy(self, tree):
        return {name: np.asarray(value) for name, value in tree.items()}

    def load(self, case):
        to_device = lambda tree: jax.tree.map(jnp.asarray, tree)
        parameters = to_device(case.parameters)
        data = to_device((case.constants, case.x, case.labels))
        vectors = [to_device(vector) for vector in case.vectors]
        block = jax.tree.map(lambda *parts: jnp.stack(parts), *vectors)

        def gradient(parameters, data):
            constants, x, labels = data
            return jax.grad(lambda p: models.loss(jax_ops, case.model, p, constants, x, labels, case.config))(parameters)

        @jax.jit
        def product(parameters, data, vector):
            return jax.jvp(lambda p: gradient(p, data), (parameters,), (vector,))[1]

        @jax.jit
        def linearize(parameters, data):
            # The linear function is a pytree whose leaves are the residuals.
            return jax.linearize(lambda p: gradient(p, data), parameters)[1]

        apply = jax.jit(lambda linear, vector: linear(vector))
        apply_block = jax.jit(lambda linear, vectors: jax.vmap(linear)(vectors))
        wait = jax.block_until_ready
        prepare = lambda: wait(linearize(parameters, data))
        return {
            "jit": (lambda: None, lambda _, i: wait(product(parameters, data, vectors[i]))),
            "linearize": (prepare, lambda linear, i: wait(apply(linear, vectors[i]))),
            "linearize-block": (prepare, lambda linear, i: wait(apply_block(linear, block))),
        }


if __name__ == "__main__":
    ProductServer(Backend()).serve()
