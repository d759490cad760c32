"""Hessian-vector products in PyTorch, as a server; README.md describes the protocol."""
import os

THREADS = int(os.environ.get("THALWEG_PEER_THREADS", "2"))
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(THREADS)

import numpy as np
import torch

import models
import torch_ops
from protocol import ProductServer


class Backend:
    name = "pytorch"

    def __init__(self):
        torch.set_num_threads(THREADS)

    def info(self):
        return {"versions": {"torch": torch.__version__, "numpy": np.__version__}, "threads": torch.get_num_threads(),
                "device": "cpu"}

    def to_numpy(self, tree):
        return {name: value.detach().numpy() for name, value in tree.items()}

    def load(self, case):
        names = list(case.parameters)
        parameters = [torch.from_numpy(case.parameters[name]).requires_grad_() for name in names]
        constants = {name: torch.from_numpy(value) for name, value in case.constants.items()}
        # Index tensors are int64 in PyTorch; converting once is not part of a product.
        x = torch.from_numpy(case.x) if case.x.dtype == np.float32 else torch.from_numpy(case.x).long()
        labels = torch.from_numpy(case.labels).long()
        vectors = [[torch.from_numpy(vector[name]) for name in names] for vector in case.vectors]
        block = [torch.stack(parts) for parts in zip(*vectors)]

        def gradient():
            tree = dict(zip(names, parameters))
            value = models.loss(torch_ops, case.model, tree, constants, x, labels, case.config)
            return torch.autograd.grad(value, parameters, create_graph=True)

        def second(gradients, vector, retain, batched=False):
            products = torch.autograd.grad(gradients, parameters, grad_outputs=vector, retain_graph=retain,
                                           is_grads_batched=batched, materialize_grads=True)
            return dict(zip(names, products))

        def forward_over_reverse(vector):
            def gradient_of(tree):
                return torch.func.grad(
                    lambda t: models.loss(torch_ops, case.model, t, constants, x, labels, case.config))(tree)
            point = {name: value.detach() for name, value in zip(names, parameters)}
            return torch.func.jvp(gradient_of, (point,), (dict(zip(names, vector)),))[1]

        return {
            "double-backward": (lambda: None, lambda _, i: second(gradient(), vectors[i], retain=False)),
            "retained": (gradient, lambda gradients, i: second(gradients, vectors[i], retain=True)),
            "retained-block": (gradient, lambda gradients, i: second(gradients, block, retain=True, batched=True)),
            "forward-over-reverse": (lambda: None, lambda _, i: forward_over_reverse(vectors[i])),
        }


if __name__ == "__main__":
    ProductServer(Backend()).serve()
