"""JAX's side of `npm run bench -- train`, with optax; README.md describes the protocol."""
import os

THREADS = int(os.environ.get("THALWEG_PEER_THREADS", "2"))
# XLA's CPU client sizes its thread pool from NPROC.
os.environ["NPROC"] = os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)
os.environ["JAX_PLATFORMS"] = "cpu"

import math

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
import optax

import jax_ops
import models
from train import TrainServer


def orthogonalized_momentum(momentum, coefficients=(3.4445, -4.775, 2.0315), steps=5, epsilon=1e-7):
    """Muon in the convention of PyTorch: the mean of gradients is not corrected for its start at zero, as that of optax.contrib.muon is."""
    a, b, c = coefficients
    lerp = lambda mean, gradient: momentum * mean + (1 - momentum) * gradient

    def orthogonal(x):
        inputs, outputs = x.shape
        x = x.T if inputs > outputs else x
        x = x / (jnp.linalg.norm(x) + epsilon)
        for _ in range(steps):
            gram = x @ x.T
            x = a * x + (b * gram + c * gram @ gram) @ x
        return (x.T if inputs > outputs else x) * math.sqrt(max(1, outputs / inputs))

    def update(gradients, mean, params=None):
        mean = jax.tree.map(lerp, mean, gradients)
        return jax.tree.map(lambda m, g: orthogonal(lerp(m, g)), mean, gradients), mean
    return optax.GradientTransformation(optax.tree.zeros_like, update)


def optimizer_of(name, settings):
    rate = settings["rate"]
    if name == "sgd":
        return optax.sgd(rate, momentum=settings["momentum"])
    if name == "adam":
        return optax.adam(rate, settings["beta1"], settings["beta2"], settings["epsilon"])
    rules = {"matrix": optax.chain(orthogonalized_momentum(settings["momentum"]), optax.scale(-rate)), "other": optax.adamw(settings["othersRate"], weight_decay=0)}
    return optax.partition(rules, lambda params: jax.tree.map(lambda p: "matrix" if p.ndim == 2 else "other", params))


class Backend:
    name = "jax"
    variants = ["jit", "scan"]

    def info(self):
        return {"versions": {"jax": jax.__version__, "jaxlib": jaxlib.__version__, "optax": optax.__version__, "numpy": np.__version__}, "threads": THREADS, "device": str(jax.devices()[0])}

    def load(self, case):
        self.case = case
        self.x, self.labels = jnp.asarray(case.x), jnp.asarray(case.labels)
        self.programs = {}

    def program(self, name, variant, settings):
        """(init, advance): compiled once in a process, as a user's program would. `advance` does a step, or as many as it is given batches of."""
        is_ensemble = settings["replicas"] > 1
        key = name, variant
        if key not in self.programs:
            case, optimizer = self.case, optimizer_of(name, settings)

            def step(carry, batch, x, labels):
                params, state = carry
                value, gradient = jax.value_and_grad(lambda p: models.loss(jax_ops, case.model, p, {}, x[batch], labels[batch], case.config))(params)
                updates, state = optimizer.update(gradient, state, params)
                return (optax.apply_updates(params, updates), state), value

            one = jax.vmap(step, (0, 0, None, None)) if is_ensemble else step
            several = lambda carry, batches, x, labels: jax.lax.scan(lambda before, batch: one(before, batch, x, labels), carry, batches)
            self.programs[key] = (jax.jit(jax.vmap(optimizer.init) if is_ensemble else optimizer.init),
                                  jax.jit(several if variant == "scan" else one, donate_argnums=0))
        return self.programs[key]

    def train(self, name, variant, settings, order, clock):
        init, advance = self.program(name, variant, settings)
        params = jax.tree.map(jnp.array, self.case.parameters)
        carry = params, init(params)
        # [steps, batch] or [steps, replicas, batch]; a scan is given several steps at once.
        batches = order[0] if len(order) == 1 else np.ascontiguousarray(order.swapaxes(0, 1))
        size = settings["chunk"] if variant == "scan" else 1
        losses = []
        for at in range(0, len(batches), size):
            if at == settings["warmup"]:
                jax.block_until_ready(carry)
                clock.start()
            # Losses are not waited for, but for the first: steps are dispatched while others run.
            carry, loss = advance(carry, batches[at:at + size] if variant == "scan" else batches[at], self.x, self.labels)
            losses.append(loss)
            if at == 0:
                jax.block_until_ready(loss)
                clock.loss()
        jax.block_until_ready((carry, losses))
        clock.stop()
        steps = np.concatenate([np.asarray(loss) for loss in losses]) if variant == "scan" else np.stack([np.asarray(loss) for loss in losses])
        return steps.reshape(len(batches), -1).T


if __name__ == "__main__":
    TrainServer(Backend()).serve()
