"""What both peers share: the data directory, the line protocol, memory figures. README.md describes the formats."""
import json
import os
import sys
import time
import traceback

import numpy as np

DTYPES = {"float32": "<f4", "int32": "<i4"}


class Case:
    """A model with weights, data and vectors, read from a data directory."""

    def __init__(self, directory):
        with open(os.path.join(directory, "manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        read = lambda entry: read_tensor(directory, entry)
        read_all = lambda entries: {name: read(entry) for name, entry in entries.items()}
        self.directory = directory
        self.model = manifest["model"]
        self.config = manifest.get("config", {})
        self.parameters = read_all(manifest["parameters"])
        self.constants = read_all(manifest.get("constants", {}))
        self.x = read(manifest["x"])
        self.labels = read(manifest["labels"])
        self.vectors = [read_all(vector) for vector in manifest["vectors"]]
        for i, vector in enumerate(self.vectors):
            if {k: v.shape for k, v in vector.items()} != {k: v.shape for k, v in self.parameters.items()}:
                raise ValueError(f"load: vectors[{i}] must have the names and shapes of parameters")


def read_tensor(directory, entry):
    data = np.fromfile(os.path.join(directory, entry["file"]), dtype=DTYPES[entry["dtype"]])
    return data.reshape(entry["shape"])


def write_tensor(directory, file, array):
    """Writes `array` as little-endian float32 or int32; returns its manifest entry."""
    dtype = "int32" if np.issubdtype(array.dtype, np.integer) else "float32"
    path = os.path.join(directory, file)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    np.ascontiguousarray(array, dtype=DTYPES[dtype]).tofile(path)
    return {"file": file, "dtype": dtype, "shape": list(array.shape)}


def write_case(directory, model, config, parameters, constants, x, labels, vectors):
    """Writes a data directory that `Case` reads."""
    many = lambda folder, arrays: {n: write_tensor(directory, f"{folder}/{n}.bin", a) for n, a in arrays.items()}
    manifest = {
        "model": model, "config": config,
        "parameters": many("parameters", parameters), "constants": many("constants", constants),
        "x": write_tensor(directory, "x.bin", x), "labels": write_tensor(directory, "labels.bin", labels),
        "vectors": [many(f"vectors/{i}", vector) for i, vector in enumerate(vectors)],
    }
    with open(os.path.join(directory, "manifest.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)


def memory_mb(field):
    """VmRSS (now) or VmHWM (peak since the last reset) of this process, in MB; None where there is no /proc (not Linux)."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
    except OSError:
        return None
    return round(int(fields[field].split()[0]) / 1024, 1)


def reset_peak_memory():
    """Lets the peak start again from now; where the system refuses, it stays the peak since process start."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        pass


def thread_count():
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return None


def milliseconds(function):
    """(result, elapsed milliseconds); `function` must return only when its result is complete."""
    start = time.perf_counter_ns()
    result = function()
    return result, (time.perf_counter_ns() - start) / 1e6


class Server:
    """Answers requests about one loaded case. `backend` gives `name` and `info()`; subclasses add what can be asked in `commands`."""

    def __init__(self, backend):
        self.backend = backend
        self.case = None

    def commands(self):
        return {"info": self.info}

    def info(self, request):
        return {"peer": self.backend.name, **self.backend.info(), "threads_in_process": thread_count(),
                "rss_mb": memory_mb("VmRSS")}

    def serve(self):
        """One JSON request a line on standard input, one JSON answer a line on the standard output of process start."""
        # Libraries may print: keep the answers' channel to ourselves and send their output to standard error.
        answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        commands = self.commands()
        for line in sys.stdin:
            if not line.strip():
                continue
            try:
                request = json.loads(line)
                if request.get("cmd") == "quit":
                    break
                if request.get("cmd") not in commands:
                    raise ValueError(f"cmd must be one of {', '.join(commands)}, quit; got {request.get('cmd')}")
                answer = {"ok": True, **commands[request["cmd"]](request)}
            except Exception as error:  # An answer for every request: the caller decides what a failure means.
                traceback.print_exc()
                answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


class ProductServer(Server):
    """Hessian-vector products. `backend.load(case)` gives `variants`: {name: (prepare, product)}. `prepare()` builds what
    products at this point share (None if nothing), `product(shared, i)` multiplies vector i (all vectors for variants named `...-block`)."""

    def __init__(self, backend):
        super().__init__(backend)
        self.variants = None
        self.warm = set()

    def commands(self):
        return {**super().commands(), "load": self.load, "run": self.run, "result": self.result}

    def load(self, request):
        self.case = Case(request["dir"])
        self.variants = self.backend.load(self.case)
        self.warm = set()
        return {"model": self.case.model, "vectors": len(self.case.vectors), "variants": list(self.variants)}

    def run(self, request):
        name = request["variant"]
        prepare, product = self.variant(name)
        reset_peak_memory()
        before, first_ms = memory_mb("VmRSS"), None
        if name not in self.warm:
            # The first preparation and product trace and compile; later ones show the lasting cost.
            _, first_ms = milliseconds(lambda: product(prepare(), 0))
            self.warm.add(name)
        shared, prepare_ms = milliseconds(prepare)
        for i in range(request.get("warmup", 1)):
            product(shared, i % len(self.case.vectors))
        times = [milliseconds(lambda i=i: product(shared, i % len(self.case.vectors)))[1]
                 for i in range(request.get("repeat", 1))]
        return {"ms": times, "products_per_call": len(self.case.vectors) if name.endswith("-block") else 1,
                "prepare_ms": prepare_ms, "first_ms": first_ms,
                "peak_rss_mb": memory_mb("VmHWM"), "rss_before_mb": before}

    def result(self, request):
        name = request["variant"]
        prepare, product = self.variant(name)
        shared = prepare()
        count = len(self.case.vectors)
        if name.endswith("-block"):
            block = self.backend.to_numpy(product(shared, 0))
            products = [{path: array[i] for path, array in block.items()} for i in range(count)]
        else:
            products = [self.backend.to_numpy(product(shared, i)) for i in range(count)]
        directory = os.path.abspath(request.get("out") or os.path.join(self.case.directory, "results", f"{self.backend.name}-{name}"))
        return {"dir": directory, "products": [
            {path: write_tensor(directory, f"{i}/{path}.bin", array) for path, array in product.items()}
            for i, product in enumerate(products)]}

    def variant(self, name):
        if self.variants is None:
            raise ValueError("run: a case must be loaded first; send {\"cmd\": \"load\", \"dir\": ...}")
        if name not in self.variants:
            raise ValueError(f"run: variant must be one of {', '.join(self.variants)}; got {name}")
        return self.variants[name]
