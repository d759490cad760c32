"""PyTorch's side of `npm run bench -- instrument`; README.md describes the protocol."""
import os

THREADS = int(os.environ.get("THALWEG_PEER_THREADS", "2"))
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)

import numpy as np
import torch

import models
import torch_ops
from instrument import TaskServer

# Examples a forward pass of the plane, as a data loader would give them.
BATCH = 1000
# Examples whose gradients are computed at once: of one output, of all.
GRADIENTS, JACOBIANS = 100, 10


class Backend:
    name = "pytorch"

    def __init__(self):
        torch.set_num_threads(THREADS)

    def info(self):
        return {"versions": {"torch": torch.__version__, "numpy": np.__version__}, "threads": torch.get_num_threads(), "device": "cpu"}

    def empty(self, shape):
        return torch.empty(shape)

    def wrap(self, array):
        return torch.from_numpy(array)

    def load(self, case):
        self.case = case
        self.parameters = {name: torch.from_numpy(value).requires_grad_() for name, value in case.parameters.items()}
        self.constants = {name: torch.from_numpy(value) for name, value in case.constants.items()}
        self.x, self.labels = torch.from_numpy(case.x), torch.from_numpy(case.labels).long()

    def loss(self, tree, x, labels):
        return models.loss(torch_ops, self.case.model, tree, self.constants, x, labels, self.case.config)

    def products(self, samples):
        """As PyHessian for one batch: the gradient is formed once with its graph, and each product is one backward pass through that."""
        leaves = list(self.parameters.values())
        gradients = torch.autograd.grad(self.loss(self.parameters, self.x[:samples], self.labels[:samples]), leaves, create_graph=True)
        sizes = [leaf.numel() for leaf in leaves]

        def multiply(vector):
            parts = [part.view_as(leaf) for part, leaf in zip(vector.split(sizes), leaves)]
            images = torch.autograd.grad(gradients, leaves, grad_outputs=parts, retain_graph=True, materialize_grads=True)
            return torch.cat([image.reshape(-1) for image in images])
        return multiply

    def plane(self, directions, samples):
        first, second = ({name: torch.from_numpy(value) for name, value in direction.items()} for direction in directions)
        x, labels = self.x[:samples].split(BATCH), self.labels[:samples].split(BATCH)

        @torch.no_grad()
        def loss(a, b):
            tree = {name: value + a * first[name] + b * second[name] for name, value in self.parameters.items()}
            return sum(float(self.loss(tree, *batch)) * len(batch[1]) for batch in zip(x, labels)) / samples
        return loss

    def kernel(self, samples):
        """Gradients of one output at a time: all at once would hold outputs times as much."""
        point = {name: value.detach() for name, value in self.parameters.items()}

        def output(tree, x, k):
            return models.MODELS[self.case.model](torch_ops, tree, self.constants, x[None], self.case.config)[0, k]

        def gram(k):
            of_each = torch.func.vmap(torch.func.grad(output), (None, 0, None), chunk_size=GRADIENTS)
            gradients = of_each(point, self.x[:samples], k)
            return sum((g := gradient.reshape(samples, -1)) @ g.T for gradient in gradients.values()).numpy()
        return gram

    def jacobian(self, samples):
        """The Jacobian of all examples, then its products, parameter by parameter."""
        point = {name: value.detach() for name, value in self.parameters.items()}

        def outputs(tree, x):
            return models.MODELS[self.case.model](torch_ops, tree, self.constants, x[None], self.case.config)[0]

        def gram():
            rows = torch.func.vmap(torch.func.jacrev(outputs), (None, 0), chunk_size=JACOBIANS)(point, self.x[:samples])
            return sum((j := part.reshape(samples, -1)) @ j.T for part in rows.values()).numpy()
        return gram


if __name__ == "__main__":
    TaskServer(Backend()).serve()
