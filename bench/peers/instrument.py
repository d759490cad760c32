"""The measurements of `npm run bench -- instrument`, over what a library gives; README.md describes the protocol.

A backend has, besides `name` and `info()`:
    load(case)                    keeps parameters and data
    empty(shape)                  an array for flat vectors; wrap(array) makes one of a float32 numpy array
    products(samples)             -> multiply(flat vector) -> flat vector: the Hessian of the mean loss of the first samples
    plane(directions, samples)    -> loss(a, b): the mean loss at parameters + a directions[0] + b directions[1]
    kernel(samples)               -> gram(k): the Gram matrix of the gradients of output k, one row an example, as numpy
    jacobian(samples)             -> gram(): the same summed over the outputs, from all gradients at once
"""
import os
import time

import numpy as np

from protocol import Case, Server, memory_mb, reset_peak_memory, write_tensor
import spectra

STARTS = 7


class Clock:
    """Where the time of a task goes: `prepare` what calls share, the `first` call (compilation), `further` calls; the rest is the algorithm's own."""

    def __init__(self):
        self.prepare_ms = self.first_ms = self.further_ms = 0.0
        self.calls = 0

    def prepared(self, function):
        start = time.perf_counter_ns()
        result = function()
        self.prepare_ms += (time.perf_counter_ns() - start) / 1e6
        return result

    def timed(self, function):
        def call(*arguments):
            start = time.perf_counter_ns()
            result = function(*arguments)
            elapsed = (time.perf_counter_ns() - start) / 1e6
            if self.calls == 0:
                self.first_ms = elapsed
            else:
                self.further_ms += elapsed
            self.calls += 1
            return result
        return call


def filter_normalised(direction, parameters):
    """Li et al. 2018, section 4: each filter scaled to the norm of the parameters' filter; biases and scales zero. A filter is a column of a
    dense weight [in, out], or a kernel [out, ...] of a convolution."""
    scaled = {}
    for name, value in parameters.items():
        if value.ndim < 2:
            scaled[name] = np.zeros_like(value)
            continue
        axes = (0,) if value.ndim == 2 else tuple(range(1, value.ndim))
        drawn, wanted = (np.sqrt(np.sum(array.astype(np.float64) ** 2, axes, keepdims=True)) for array in (direction[name], value))
        scaled[name] = (direction[name] * (wanted / (drawn + 1e-10))).astype(np.float32)
    return scaled


class TaskServer(Server):
    def commands(self):
        return {**super().commands(), "load": self.load, "task": self.task}

    def load(self, request):
        self.case = Case(request["dir"])
        self.size = sum(value.size for value in self.case.parameters.values())
        self.backend.load(self.case)
        self.tasks = {
            "eigenpairs pyhessian": lambda *a: self.eigenpairs(False, *a), "eigenpairs lanczos": lambda *a: self.eigenpairs(True, *a),
            "density pyhessian": lambda *a: self.density(False, *a), "density lanczos": lambda *a: self.density(True, *a),
            "trace hutchinson": self.trace, "plane grid": self.plane, "ntk by-output": lambda *a: self.ntk(True, *a),
            "ntk jacobian": lambda *a: self.ntk(False, *a),
        }
        return {"model": self.case.model, "variants": list(self.tasks)}

    def task(self, request):
        """Runs a measurement; only what it needs is inside its time."""
        name = f"{request['task']} {request['variant']}"
        if self.case is None or name not in self.tasks:
            raise ValueError(f"task: must be a task and a variant of a loaded case; got {name}")
        reset_peak_memory()
        before, clock = memory_mb("VmRSS"), Clock()
        start = time.perf_counter_ns()
        results, after = self.tasks[name](clock, request["settings"])
        ms = (time.perf_counter_ns() - start) / 1e6
        answer = {"ms": ms, "calls": clock.calls, "prepare_ms": clock.prepare_ms, "call_first_ms": clock.first_ms, "call_further_ms": clock.further_ms,
                  "peak_rss_mb": memory_mb("VmHWM"), "rss_before_mb": before, "residual": after()}
        if "out" in request:
            directory = os.path.abspath(request["out"])
            answer.update(dir=directory, results={key: write_tensor(directory, f"{key}.bin", np.asarray(value)) for key, value in results.items()})
        return answer

    def probe(self, index):
        """Row `index` of the shared signs, as the library's vector."""
        signs = np.fromfile(os.path.join(self.case.directory, "probes.bin"), dtype=np.int8, count=self.size, offset=index * self.size)
        return self.backend.wrap(signs.astype(np.float32))

    def start(self, index):
        return self.backend.wrap(np.random.default_rng((STARTS, index)).standard_normal(self.size, dtype=np.float32))

    def eigenpairs(self, by_lanczos, clock, settings):
        multiply = clock.prepared(lambda: self.backend.products(settings["samples"]))
        timed = clock.timed(multiply)
        if by_lanczos:
            values, vectors = spectra.lanczos_eigenpairs(timed, self.start(0), self.backend.empty, settings["count"], settings["tolerance"], settings["products"])
        else:
            values, vectors = spectra.power_iteration(timed, self.start, settings["count"], settings["tolerance"], min(100, settings["products"]))
        # Outside of the task's time: how good the pairs are.
        return {"values": values}, lambda: max(spectra.residual(multiply, value, vector) for value, vector in zip(values, vectors))

    def density(self, by_lanczos, clock, settings):
        multiply = clock.timed(clock.prepared(lambda: self.backend.products(settings["samples"])))
        rules = [spectra.lanczos_quadrature(multiply, self.probe(i), self.backend.empty, settings["steps"]) if by_lanczos
                 else spectra.pyhessian_quadrature(multiply, self.probe(i), settings["steps"]) for i in range(settings["probes"])]
        return {"nodes": [nodes for nodes, _ in rules], "weights": [weights for _, weights in rules]}, lambda: None

    def trace(self, clock, settings):
        multiply = clock.timed(clock.prepared(lambda: self.backend.products(settings["samples"])))
        def sample(index):
            probe = self.probe(index)
            return float(probe @ multiply(probe))
        return {"samples": [sample(i) for i in range(settings["probes"])]}, lambda: None

    def plane(self, clock, settings):
        directions = [filter_normalised(direction, self.case.parameters) for direction in self.case.vectors[:2]]
        loss = clock.timed(clock.prepared(lambda: self.backend.plane(directions, settings["samples"])))
        axis = np.linspace(-settings["radius"], settings["radius"], settings["points"])
        return {"loss": [[loss(x, y) for x in axis] for y in axis]}, lambda: None

    def ntk(self, by_output, clock, settings):
        outputs = settings["outputs"]
        if by_output:
            gram = clock.timed(self.backend.kernel(settings["samples"]))
            return {"kernel": sum(gram(k) for k in range(outputs)) / outputs}, lambda: None
        return {"kernel": clock.timed(self.backend.jacobian(settings["samples"]))() / outputs}, lambda: None
