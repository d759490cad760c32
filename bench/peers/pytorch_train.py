"""PyTorch's side of `npm run bench -- train`, written as its users write training; README.md describes the protocol."""
import os

THREADS = int(os.environ.get("THALWEG_PEER_THREADS", "2"))
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from train import TrainServer


def mlp(widths):
    """Linear layers with tanh between them."""
    layers = [layer for inputs, outputs in zip(widths, widths[1:]) for layer in (nn.Linear(inputs, outputs), nn.Tanh())]
    return nn.Sequential(*layers[:-1])


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def build(name, parameters):
    """The model with these weights: pairs of weight and bias in the order of the layers, dense weights [in, out]."""
    weights = [value for path, value in parameters.items() if path.endswith(".weight")]
    biases = [value for path, value in parameters.items() if path.endswith(".bias")]
    model = lenet() if name == "lenet" else mlp([weights[0].shape[0], *(weight.shape[1] for weight in weights)])
    layers = [layer for layer in model if hasattr(layer, "weight")]
    with torch.no_grad():
        for layer, weight, bias in zip(layers, weights, biases, strict=True):
            layer.weight.copy_(torch.from_numpy(weight.T if weight.ndim == 2 else weight))
            layer.bias.copy_(torch.from_numpy(bias))
    return model


class Float32Muon(torch.optim.Optimizer):
    """torch.optim.Muon's rule with its defaults, without weight decay, orthogonalised in float32 where that goes to bfloat16."""

    def __init__(self, params, lr, momentum, coefficients=(3.4445, -4.775, 2.0315), steps=5, eps=1e-7):
        super().__init__(params, {"lr": lr, "momentum": momentum, "coefficients": coefficients, "steps": steps, "eps": eps})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            momentum, (a, b, c) = group["momentum"], group["coefficients"]
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["mean"] = torch.zeros_like(p)
                mean = state["mean"].lerp_(p.grad, 1 - momentum)
                x = p.grad.lerp(mean, momentum)
                is_tall = x.size(0) > x.size(1)
                if is_tall:
                    x = x.T
                x = x / x.norm().clamp(min=group["eps"])
                for _ in range(group["steps"]):
                    gram = x @ x.T
                    x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
                p.add_(x.T if is_tall else x, alpha=-group["lr"] * math.sqrt(max(1, p.size(0) / p.size(1))))


def optimizers_of(name, variant, model, settings):
    rate, fused = settings["rate"], True if variant == "fused" else None
    if name == "sgd":
        return [torch.optim.SGD(model.parameters(), lr=rate, momentum=settings["momentum"], fused=fused)]
    if name == "adam":
        return [torch.optim.Adam(model.parameters(), lr=rate, betas=(settings["beta1"], settings["beta2"]), eps=settings["epsilon"], fused=fused)]
    matrices = [p for p in model.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if p.ndim != 2]
    muon = (torch.optim.Muon(matrices, lr=rate, momentum=settings["momentum"], weight_decay=0) if variant == "bfloat16"
            else Float32Muon(matrices, lr=rate, momentum=settings["momentum"]))
    return [muon, torch.optim.AdamW(others, lr=settings["othersRate"], weight_decay=0)]


class Backend:
    name = "pytorch"
    variants = ["default", "fused", "float32", "bfloat16"]

    def __init__(self):
        torch.set_num_threads(THREADS)

    def info(self):
        return {"versions": {"torch": torch.__version__, "numpy": np.__version__}, "threads": torch.get_num_threads(), "device": "cpu"}

    def load(self, case):
        self.case = case
        self.x, self.labels = torch.from_numpy(case.x), torch.from_numpy(case.labels).long()

    def train(self, optimizer, variant, settings, order, clock):
        """Replicas one after another."""
        of_replica = lambda r: self.case.parameters if len(order) == 1 else {path: value[r] for path, value in self.case.parameters.items()}
        return np.stack([self.run(of_replica(r), optimizer, variant, settings, batches, clock) for r, batches in enumerate(order)])

    def run(self, parameters, optimizer, variant, settings, batches, clock):
        model = build(self.case.model, parameters)
        optimizers = optimizers_of(optimizer, variant, model, settings)
        batches = torch.from_numpy(batches).long()
        losses = []
        for step, batch in enumerate(batches):
            if step == settings["warmup"]:
                clock.start()
            loss = F.cross_entropy(model(self.x[batch]), self.labels[batch])
            for each in optimizers:
                each.zero_grad()
            loss.backward()
            for each in optimizers:
                each.step()
            losses.append(loss.item())
            clock.loss()
        clock.stop()
        return np.array(losses, np.float32)


if __name__ == "__main__":
    TrainServer(Backend()).serve()
