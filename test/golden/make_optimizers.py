"""Stored steps of optimizers of optax and PyTorch (float64) on one small loss, for src/optim.

Run where `jax`, `optax` and `torch` are installed:
    python test/golden/make_optimizers.py
Writes optimizers/problem.json (the loss and where every run starts) and optimizers/steps.json (a row for each optimizer: parameters
after two steps and after ten, as the leaves in the order of their names, one after another). To add a row, add an entry to
`optax_rows` or `torch_rows` under a new name; src/optim/optimizer-goldens.test-helper.ts reads rows by name.

The loss is sum(log(cosh(A w - b))), w the parameters {bias: [3], dense: [4, 3], kernel: [3, 2, 2, 2]} as one vector.
"""
import inspect
import json
import math
import pathlib

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
import optax.contrib  # noqa: E402
import torch  # noqa: E402
from optax._src import factorized  # noqa: E402

# NAdam keeps its product of momenta in the default type.
torch.set_default_dtype(torch.float64)

FOLDER = pathlib.Path(__file__).parent / "optimizers"
SHAPES = {"bias": (3,), "dense": (4, 3), "kernel": (3, 2, 2, 2)}
SIZES = {name: math.prod(shape) for name, shape in SHAPES.items()}
ROWS = 20
STORED = (2, 10)

random = np.random.default_rng(0)
A = np.round(0.6 * random.standard_normal((ROWS, sum(SIZES.values()))), 2)
B = np.round(random.standard_normal(ROWS), 2)
START = {name: np.round(0.7 * random.standard_normal(shape), 2) for name, shape in SHAPES.items()}


def loss(params):
    w = jnp.concatenate([params[name].ravel() for name in SHAPES])
    return jnp.sum(jnp.log(jnp.cosh(A @ w - B)))


def flat(params):
    return [float(v) for name in SHAPES for v in np.ravel(np.asarray(params[name]))]


# --- optax ----------------------------------------------------------------------------------------------------------------------


def optax_run(transformation, answer=None, **extra):
    """Parameters after each step; `answer(state, params)` for methods whose result are not those they step from."""
    params = {name: jnp.asarray(value) for name, value in START.items()}
    state = transformation.init(params)
    path = []
    for _ in range(max(STORED)):
        gradient = jax.grad(loss)(params)
        arguments = {key: value(params) for key, value in extra.items()}
        updates, state = transformation.update(gradient, state, params, **arguments)
        params = optax.apply_updates(params, updates)
        path.append(flat(params if answer is None else answer(state, params)))
    return path


def lookahead_run(fast, period, step_size):
    params = optax.LookaheadParams.init_synced({name: jnp.asarray(value) for name, value in START.items()})
    transformation = optax.lookahead(fast, sync_period=period, slow_step_size=step_size)
    state = transformation.init(params)
    fasts, slows = [], []
    for _ in range(max(STORED)):
        updates, state = transformation.update(jax.grad(loss)(params.fast), state, params)
        params = optax.apply_updates(params, updates)
        fasts.append(flat(params.fast))
        slows.append(flat(params.slow))
    return fasts, slows


def yogi(rate, initial, **options):
    """optax starts the mean of gradients at the initial accumulator too; here it starts at zero, as in the paper."""
    inner = optax.scale_by_yogi(initial_accumulator_value=initial, **options)
    zero_mean = optax.GradientTransformation(lambda p: inner.init(p)._replace(mu=jax.tree.map(jnp.zeros_like, p)), inner.update)
    return optax.chain(zero_mean, optax.scale(-rate))


def adafactor(rate, minimum, momentum=None, clipping=1.0):
    """As optax.adafactor, whose decay is computed in float32 whatever the parameters' type."""
    decay = lambda step, exponent: 1.0 - jnp.asarray(step + 1, jnp.float64) ** (-exponent)  # noqa: E731
    parts = [factorized.scale_by_factored_rms(True, 0.8, 0, minimum, 1e-30, decay)]
    parts += [optax.clip_by_block_rms(clipping), optax.scale(rate), optax.scale_by_param_block_rms()]
    if momentum is not None:
        parts.append(optax.ema(momentum, debias=False, accumulator_dtype=jnp.float64))
    return optax.chain(*parts, optax.scale(-1))


def exact_diagonal():
    """The diagonal of the Hessian itself, where Sophia estimates it."""

    def update(updates, state, params=None, obj_fn=None, **_):
        del updates, obj_fn
        hessian = jax.hessian(lambda w: jnp.sum(jnp.log(jnp.cosh(A @ w - B))))(jnp.concatenate([params[name].ravel() for name in SHAPES]))
        parts = jnp.split(jnp.diag(hessian), np.cumsum(list(SIZES.values()))[:-1])
        return {name: part.reshape(SHAPES[name]) for name, part in zip(SHAPES, parts)}, state

    return optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)


def normalized_ascent(rho):
    return optax.chain(optax.contrib.normalize(), optax.sgd(rho))


def optax_rows():
    free = optax.contrib
    two_dimensional = {"bias": None, "dense": free.MuonDimensionNumbers(0, 1), "kernel": None}
    yield "sgd", lambda: optax.sgd(0.03)
    yield "momentum", lambda: optax.sgd(0.02, momentum=0.9)
    yield "nesterov", lambda: optax.sgd(0.02, momentum=0.9, nesterov=True)
    yield "adagrad", lambda: optax.adagrad(0.1, initial_accumulator_value=0.1, eps=0.0)
    yield "rmsprop", lambda: optax.rmsprop(0.02, decay=0.9, eps=1e-3, eps_in_sqrt=False)
    yield "rmsprop inside", lambda: optax.rmsprop(0.02, decay=0.9, eps=1e-3, eps_in_sqrt=True)
    yield "rmsprop momentum", lambda: optax.rmsprop(0.01, decay=0.95, eps=1e-3, eps_in_sqrt=False, momentum=0.8)
    yield "rmsprop nesterov", lambda: optax.rmsprop(0.01, decay=0.95, eps=1e-3, eps_in_sqrt=False, momentum=0.8, nesterov=True)
    yield "rmsprop centered", lambda: optax.rmsprop(0.01, decay=0.9, eps=1e-2, eps_in_sqrt=True, centered=True, momentum=0.5)
    yield "adadelta", lambda: optax.adadelta(1.0, rho=0.9, eps=1e-3, weight_decay=0.1)
    yield "adam", lambda: optax.adam(0.05)
    yield "adam other options", lambda: optax.adam(0.05, b1=0.7, b2=0.95, eps=1e-2)
    yield "adamw", lambda: optax.adamw(0.05, weight_decay=0.1)
    yield "nadam constant", lambda: optax.nadam(0.05)
    yield "radam", lambda: optax.radam(0.05)
    yield "radam fast", lambda: optax.radam(0.05, b1=0.8, b2=0.9, eps=1e-4, threshold=4.0)
    yield "amsgrad before", lambda: optax.amsgrad(0.05, b2=0.9)
    yield "amsgrad paper", lambda: optax.amsgrad(0.05, b2=0.9, bias_correction_mu=False, bias_correction_nu=False)
    yield "adabelief", lambda: optax.adabelief(0.05, eps=1e-6, eps_root=1e-6)
    yield "adabelief defaults", lambda: optax.adabelief(0.05)
    yield "lion", lambda: optax.lion(0.01, weight_decay=0.1)
    yield "lamb", lambda: optax.lamb(0.05, weight_decay=0.1)
    yield "lars", lambda: optax.lars(1.0, trust_coefficient=0.02)
    yield "lars of the sum", lambda: optax.lars(1.0, weight_decay=0.1, trust_coefficient=0.02, nesterov=True)
    yield "adafactor", lambda: adafactor(0.1, 2)
    yield "adafactor unfactored", lambda: adafactor(0.1, 128, momentum=0.9, clipping=0.5)
    yield "yogi", lambda: yogi(0.05, 1e-6)
    yield "yogi from zero", lambda: yogi(0.05, 0.0, b1=0.8, b2=0.95, eps=1e-2)
    # Wrappers.
    yield "sam", (lambda: free.sam(optax.sgd(0.03, momentum=0.9), normalized_ascent(0.1), opaque_mode=True), {"grad_fn": lambda p: lambda at, _: jax.grad(loss)(at)})
    yield "sam adam", (lambda: free.sam(optax.adam(0.05), normalized_ascent(0.05), opaque_mode=True), {"grad_fn": lambda p: lambda at, _: jax.grad(loss)(at)})
    yield "schedule-free sgd", lambda: free.schedule_free_sgd(0.05, b1=0.9, weight_decay=0.1)
    yield "schedule-free adamw", lambda: free.schedule_free_adamw(0.05, b1=0.9, b2=0.999, eps=1e-8, weight_decay=0.1)
    yield "clip global norm", lambda: optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1))
    yield "clip value", lambda: optax.chain(optax.clip(0.3), optax.sgd(0.1))
    # Second order.
    yield "sophia exact diagonal", (lambda: free.sophia(0.05, gamma=0.5, update_interval=3, weight_decay=0.1, hessian_diagonal_fn=exact_diagonal()), {"obj_fn": lambda p: loss})
    yield "muon", lambda: free.muon(0.05, weight_decay=0.1, muon_weight_dimension_numbers=two_dimensional)
    yield "muon plain momentum", lambda: free.muon(0.05, nesterov=False, muon_weight_dimension_numbers=two_dimensional)
    yield "lbfgs fixed rate", lambda: optax.lbfgs(learning_rate=0.3, memory_size=4, linesearch=None)
    search = {"value": loss, "grad": jax.grad(loss), "value_fn": lambda p: loss}
    yield "lbfgs zoom", (lambda: optax.lbfgs(memory_size=4, linesearch=optax.scale_by_zoom_linesearch(max_linesearch_steps=20)), search)


# --- PyTorch ---------------------------------------------------------------------------------------------------------------------


def torch_run(optimizer_of):
    params = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in START.items()}
    optimizer = optimizer_of(list(params.values()))
    a, b = torch.tensor(A), torch.tensor(B)

    def closure():
        optimizer.zero_grad()
        value = torch.log(torch.cosh(a @ torch.cat([params[name].reshape(-1) for name in SHAPES]) - b)).sum()
        value.backward()
        return value

    path = []
    for _ in range(max(STORED)):
        optimizer.step(closure)
        path.append(flat({name: value.detach().numpy() for name, value in params.items()}))
    return path


class MuonWithAdamW:
    """torch.optim.Muon for the matrix, which is all it takes, AdamW for the rest."""

    def __init__(self, params, lr, weight_decay, **muon):
        matrices = [p for p in params if p.dim() == 2]
        self.parts = [torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, **muon), torch.optim.AdamW([p for p in params if p.dim() != 2], lr=lr, weight_decay=weight_decay)]

    def zero_grad(self):
        for part in self.parts:
            part.zero_grad()

    def step(self, closure):
        closure()
        for part in self.parts:
            part.step()


def torch_rows():
    o = torch.optim
    yield "torch sgd", lambda p: o.SGD(p, lr=0.02, momentum=0.9, weight_decay=0.1, nesterov=True)
    yield "torch adagrad", lambda p: o.Adagrad(p, lr=0.1, eps=1e-3, initial_accumulator_value=0.2, weight_decay=0.1)
    yield "torch rmsprop", lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-3, momentum=0.5, centered=True, weight_decay=0.1)
    yield "torch adadelta", lambda p: o.Adadelta(p, lr=1.0, rho=0.8, eps=1e-3)
    yield "torch adam", lambda p: o.Adam(p, lr=0.05, weight_decay=0.1)
    yield "torch adamw", lambda p: o.AdamW(p, lr=0.05)
    yield "torch nadam", lambda p: o.NAdam(p, lr=0.05, weight_decay=0.1)
    yield "torch nadam slow", lambda p: o.NAdam(p, lr=0.05, betas=(0.8, 0.99), eps=1e-4, momentum_decay=0.05)
    # With an epsilon of zero: PyTorch adds it before it corrects the bias, optax and the Adam paper after.
    yield "torch radam", lambda p: o.RAdam(p, lr=0.05, eps=0.0, weight_decay=0.1)
    yield "torch amsgrad", lambda p: o.Adam(p, lr=0.05, betas=(0.9, 0.9), amsgrad=True)
    yield "torch lbfgs", lambda p: o.LBFGS(p, lr=0.3, max_iter=1, history_size=4, tolerance_grad=0, tolerance_change=0)
    yield "torch lbfgs strong wolfe", lambda p: o.LBFGS(p, lr=1, max_iter=1, max_eval=25, history_size=4, tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe")
    yield "torch muon", lambda p: MuonWithAdamW(p, lr=0.05, weight_decay=0.1)
    yield "torch muon match rms adamw", lambda p: MuonWithAdamW(p, lr=0.05, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")


# --- files -----------------------------------------------------------------------------------------------------------------------


def source_of(make):
    """The text of the lambda: what was run, with which options."""
    text = " ".join(inspect.getsource(make).split())
    text = text[text.index("lambda"):]
    text, depth = text[text.index(":") + 1:].strip(), 0
    for i, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth < 0 or (depth == 0 and character == ","):
            return text[:i]
    return text


def row(source, path):
    return {"source": source, "after": {str(step): path[step - 1] for step in STORED}}


def main():
    rows = {}
    for name, entry in optax_rows():
        make, extra = entry if isinstance(entry, tuple) else (entry, {})
        rows[name] = row(f"optax {optax.__version__}: {source_of(make)}", optax_run(make(), **extra))
        if name.startswith("schedule-free"):
            answers = optax_run(make(), answer=lambda state, params: free_answer(state, params))
            rows[f"{name} answer"] = row("its schedule_free_eval_params", answers)
    for name, fast in [("lookahead sgd", optax.sgd(0.03, momentum=0.9)), ("lookahead adam", optax.adam(0.05))]:
        fasts, slows = lookahead_run(fast, 3, 0.5)
        rows[name] = row(f"optax {optax.__version__}: lookahead, sync_period=3, slow_step_size=0.5: fast parameters; sgd(0.03, momentum=0.9) or adam(0.05)", fasts)
        rows[f"{name} answer"] = row("its slow parameters", slows)
    for name, make in torch_rows():
        rows[name] = row(f"torch {torch.__version__}: {source_of(make)}", torch_run(make))
    problem = {"description": "sum(log(cosh(A w - b))), w the leaves one after another", "a": A.tolist(), "b": B.tolist(), "start": {name: {"shape": SHAPES[name], "data": value.ravel().tolist()} for name, value in START.items()}}
    (FOLDER / "problem.json").write_text(json.dumps(problem) + "\n")
    # A row a line: what a change of the script changes can be read.
    (FOLDER / "steps.json").write_text("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in rows.items()) + "\n}\n")
    for name, value in rows.items():
        ends = jnp.asarray(value["after"]["10"])
        print(f"{name:32s} loss {float(jnp.sum(jnp.log(jnp.cosh(A @ ends - B)))):.6f}  {value['source']}")


def free_answer(state, params):
    """The state of a schedule-free method lies inside those of the chain around it."""
    found = state if isinstance(state, optax.contrib.ScheduleFreeState) else next(part for part in state if isinstance(part, optax.contrib.ScheduleFreeState))
    return optax.contrib.schedule_free_eval_params(found, params)


if __name__ == "__main__":
    main()
