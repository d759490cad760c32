"""JAX's side of `npm run bench -- instrument`; README.md describes the protocol."""
import os

THREADS = int(os.environ.get("THALWEG_PEER_THREADS", "2"))
# XLA's CPU client sizes its thread pool from NPROC; vectors are NumPy's.
os.environ["NPROC"] = os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np

import jax_ops
import models
from instrument import TaskServer

BATCH = 1000
# Examples whose gradients are computed at once: of one output, of all. They must divide the number of examples, or exceed it.
GRADIENTS, JACOBIANS = 100, 10


class Backend:
    name = "jax"

    def info(self):
        return {"versions": {"jax": jax.__version__, "jaxlib": jaxlib.__version__, "numpy": np.__version__}, "threads": THREADS, "device": str(jax.devices()[0])}

    def empty(self, shape):
        return np.empty(shape, np.float32)

    def wrap(self, array):
        return array

    def load(self, case):
        to_device = lambda tree: jax.tree.map(jnp.asarray, tree)
        self.parameters, self.constants = to_device(case.parameters), to_device(case.constants)
        self.x, self.labels = jnp.asarray(case.x), jnp.asarray(case.labels)
        self.names = list(case.parameters)
        shapes = [case.parameters[name].shape for name in self.names]
        sizes = [int(np.prod(shape)) for shape in shapes]
        ends = np.cumsum(sizes)
        # Compiled once in a process, as a user's program would.
        loss = lambda tree, constants, x, labels: models.loss(jax_ops, case.model, tree, constants, x, labels, case.config)
        output = lambda tree, constants, x, k: models.MODELS[case.model](jax_ops, tree, constants, x[None], case.config)[0, k]

        def split(vector):
            return {name: vector[end - size:end].reshape(shape) for name, shape, size, end in zip(self.names, shapes, sizes, ends)}

        self.linearize = jax.jit(lambda tree, constants, x, labels: jax.linearize(lambda p: jax.grad(loss)(p, constants, x, labels), tree)[1])

        @jax.jit
        def multiply(linear, vector):
            images = linear(split(vector))
            return jnp.concatenate([images[name].reshape(-1) for name in self.names])
        self.multiply = multiply

        @jax.jit
        def loss_at(tree, first, second, a, b, constants, x, labels):
            return loss(jax.tree.map(lambda p, d, e: p + a * d + b * e, tree, first, second), constants, x, labels)
        self.loss_at = loss_at

        def rows(f, x, most):
            """f of parts of the examples, one after another; one flat row an example for each parameter."""
            found = jax.lax.map(f, x.reshape(-1, min(most, len(x)), *x.shape[1:]))
            return [value.reshape(len(x), -1) for value in found.values()]

        @jax.jit
        def gram(tree, constants, x, k):
            of_part = lambda part: jax.vmap(jax.grad(output), (None, None, 0, None))(tree, constants, part, k)
            return sum(row @ row.T for row in rows(of_part, x, GRADIENTS))
        self.gram = gram

        @jax.jit
        def gram_of_all(tree, constants, x):
            outputs = lambda tree, one: models.MODELS[case.model](jax_ops, tree, constants, one[None], case.config)[0]
            of_part = lambda part: jax.vmap(jax.jacrev(outputs), (None, 0))(tree, part)
            return sum(row @ row.T for row in rows(of_part, x, JACOBIANS))
        self.gram_of_all = gram_of_all

    def products(self, samples):
        """Residuals of the gradient's linearisation are kept; a product is the compiled linear function."""
        linear = jax.block_until_ready(self.linearize(self.parameters, self.constants, self.x[:samples], self.labels[:samples]))
        return lambda vector: np.asarray(self.multiply(linear, vector))

    def plane(self, directions, samples):
        first, second = (jax.tree.map(jnp.asarray, direction) for direction in directions)
        batches = [(self.x[at:min(at + BATCH, samples)], self.labels[at:min(at + BATCH, samples)]) for at in range(0, samples, BATCH)]
        return lambda a, b: sum(float(self.loss_at(self.parameters, first, second, a, b, self.constants, *batch)) * len(batch[1]) for batch in batches) / samples

    def kernel(self, samples):
        return lambda k: np.asarray(self.gram(self.parameters, self.constants, self.x[:samples], k))

    def jacobian(self, samples):
        return lambda: np.asarray(self.gram_of_all(self.parameters, self.constants, self.x[:samples]))


if __name__ == "__main__":
    TaskServer(Backend()).serve()
