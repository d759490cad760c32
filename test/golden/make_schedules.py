"""Learning rates of optax and PyTorch at the first steps of a run, for src/optim/schedules.

Run where `jax`, `optax` and `torch` are installed:
    python test/golden/make_schedules.py
Writes schedules/rates.json: name -> what was called, and the rates at steps 0, 1, 2, ...
"""
import json
import math
import pathlib

import jax

jax.config.update("jax_enable_x64", True)
import optax  # noqa: E402
import torch  # noqa: E402
from torch.optim import lr_scheduler as lr  # noqa: E402

STEPS = 40
# Losses with falls, plateaus, a rise, and a value that is not finite.
LOSSES = [3, 2, 1.5, 1.4, 1.4, 1.39999, 1.41, 1.38, 1.38, 1.38, 1.39, 1.5, math.inf, 1.2, 1.2, 1.2, 1.2, 1.19995, 1.2, 1.3, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]


def torch_rates(make, losses=None, steps=STEPS):
    """The rate in force at each step; a scheduler of losses is told that of a step after it."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = make(optimizer)
    rates = []
    for step in range(steps):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if step < steps - 1:
            scheduler.step(losses[step]) if losses else scheduler.step()
    return rates


def optax_rates(schedule):
    return [float(schedule(step)) for step in range(STEPS)]


ROWS = {
    "step": ("torch StepLR(7, 0.3)", torch_rates(lambda o: lr.StepLR(o, 7, 0.3))),
    "piecewise": ("torch MultiStepLR([5, 12, 30], 0.2)", torch_rates(lambda o: lr.MultiStepLR(o, [5, 12, 30], 0.2))),
    "piecewise factors": ("optax piecewise_constant_schedule(0.5, {4: 0.5, 11: 0.1})", optax_rates(optax.piecewise_constant_schedule(0.5, {4: 0.5, 11: 0.1}))),
    "exponential": ("torch ExponentialLR(0.9)", torch_rates(lambda o: lr.ExponentialLR(o, 0.9))),
    "exponential to an end": ("optax exponential_decay(0.5, 10, 0.3, end_value=0.1)", optax_rates(optax.exponential_decay(0.5, 10, 0.3, end_value=0.1))),
    "polynomial": ("optax polynomial_schedule(0.5, 0.05, 3, 25)", optax_rates(optax.polynomial_schedule(0.5, 0.05, 3, 25))),
    "linear": ("optax linear_schedule(0.5, 0.05, 25)", optax_rates(optax.linear_schedule(0.5, 0.05, 25))),
    "cosine": ("torch CosineAnnealingLR(30, 0.01), stopped there", torch_rates(lambda o: lr.CosineAnnealingLR(o, 30, 0.01), steps=31)),
    "cosine-restarts": ("torch CosineAnnealingWarmRestarts(5, 2, 0.01)", torch_rates(lambda o: lr.CosineAnnealingWarmRestarts(o, 5, 2, 0.01))),
    "cosine-restarts of one length": ("torch CosineAnnealingWarmRestarts(7)", torch_rates(lambda o: lr.CosineAnnealingWarmRestarts(o, 7))),
    "one-cycle": ("torch OneCycleLR(0.5, total_steps=40)", torch_rates(lambda o: lr.OneCycleLR(o, 0.5, total_steps=40))),
    "one-cycle linear": ("torch OneCycleLR(0.5, 40, pct_start=0.45, anneal_strategy='linear', div_factor=10, final_div_factor=100)", torch_rates(lambda o: lr.OneCycleLR(o, 0.5, 40, pct_start=0.45, anneal_strategy="linear", div_factor=10, final_div_factor=100))),
    "one-cycle in three phases": ("torch OneCycleLR(0.5, 40, three_phase=True)", torch_rates(lambda o: lr.OneCycleLR(o, 0.5, total_steps=40, three_phase=True))),
    "plateau": ("torch ReduceLROnPlateau(factor=0.5, patience=2) on the losses", torch_rates(lambda o: lr.ReduceLROnPlateau(o, factor=0.5, patience=2), LOSSES)),
    "plateau with cooldown": ("torch ReduceLROnPlateau(factor=0.1, patience=1, threshold=0.01, cooldown=3, min_lr=0.004) on the losses", torch_rates(lambda o: lr.ReduceLROnPlateau(o, factor=0.1, patience=1, threshold=0.01, cooldown=3, min_lr=0.004), LOSSES)),
    # A warm-up of 8 steps whose last has the full rate, and so has the first step after it.
    "warmup": ("torch LinearLR(1/8, 1, 7), then ExponentialLR(0.9)", torch_rates(lambda o: lr.SequentialLR(o, [lr.LinearLR(o, 1 / 8, 1, 7), lr.ExponentialLR(o, 0.9)], [8]))),
}

out = {"losses": [None if math.isinf(loss) else loss for loss in LOSSES], "rows": {name: {"source": source, "rates": rates} for name, (source, rates) in ROWS.items()}}
text = '{\n"losses": ' + json.dumps(out["losses"]) + ',\n"rows": {\n' + ",\n".join(f"{json.dumps(n)}: {json.dumps(r)}" for n, r in out["rows"].items()) + "\n}\n}\n"
(pathlib.Path(__file__).parent / "schedules" / "rates.json").write_text(text)
