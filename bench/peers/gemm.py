"""The machine's peak as PyTorch and NumPy reach it: one large float32 matrix product. One JSON request a line, one answer a line:

    {"cmd": "gemm", "variant": "torch" | "numpy", "repeat": 3}  ->  {"ok": true, "gflops": [one number a call]}
"""
import json
import os
import sys
import time

THREADS = int(os.environ.get("THALWEG_PEER_THREADS", "2"))
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = str(THREADS)

import numpy as np

ROWS, INNER, COLUMNS = 1024, 4096, 1024


def products():
    """{variant: function that multiplies}, for the libraries that are installed."""
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal(shape).astype(np.float32) for shape in ((ROWS, INNER), (INNER, COLUMNS)))
    made = {"numpy": lambda: left @ right}
    try:
        import torch
        torch.set_num_threads(THREADS)
        torch_left, torch_right = torch.from_numpy(left), torch.from_numpy(right)
        made["torch"] = lambda: torch_left @ torch_right
    except ImportError:
        pass
    return made


def main():
    multiply = products()
    for run in multiply.values():
        run()
    for line in sys.stdin:
        request = json.loads(line)
        if request.get("cmd") != "gemm" or request.get("variant") not in multiply:
            answer = {"ok": False, "error": f"cmd must be gemm with a variant of {', '.join(multiply)}; got {line.strip()}"}
        else:
            times = []
            for _ in range(request.get("repeat", 1)):
                start = time.perf_counter_ns()
                multiply[request["variant"]]()
                times.append(time.perf_counter_ns() - start)
            answer = {"ok": True, "gflops": [2 * ROWS * INNER * COLUMNS / elapsed for elapsed in times]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
