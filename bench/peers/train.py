"""The training runs of `npm run bench -- train`, over what a library gives; README.md describes the protocol.

A backend has, besides `name` and `info()`:
    load(case)                                          keeps weights and data
    train(optimizer, variant, settings, order, clock)   -> losses [replicas, steps]; order is int32 [replicas, steps, batch]
"""
import os
import time

import numpy as np

from protocol import Case, Server, memory_mb, reset_peak_memory, write_tensor


class Clock:
    """When the first loss came, and how long the counted steps took."""

    def __init__(self):
        self.begun = time.perf_counter_ns()
        self.first_ms = None
        self.counted_ms = 0.0

    def loss(self):
        if self.first_ms is None:
            self.first_ms = (time.perf_counter_ns() - self.begun) / 1e6

    def start(self):
        self.started = time.perf_counter_ns()

    def stop(self):
        self.counted_ms += (time.perf_counter_ns() - self.started) / 1e6


class TrainServer(Server):
    def commands(self):
        return {**super().commands(), "load": self.load, "train": self.train}

    def load(self, request):
        self.case = Case(request["dir"])
        self.backend.load(self.case)
        return {"model": self.case.model, "variants": self.backend.variants}

    def train(self, request):
        if self.case is None:
            raise ValueError("train: a case must be loaded first; send {\"cmd\": \"load\", \"dir\": ...}")
        settings = request["settings"]
        order = np.fromfile(os.path.join(self.case.directory, "order.bin"), dtype="<i4").reshape(settings["replicas"], -1, settings["batch"])
        reset_peak_memory()
        clock = Clock()
        losses = self.backend.train(request["optimizer"], request["variant"], settings, order, clock)
        answer = {"ms": clock.counted_ms, "steps": settings["steps"] * settings["replicas"], "first_ms": clock.first_ms, "peak_rss_mb": memory_mb("VmHWM")}
        if "out" in request:
            directory = os.path.abspath(request["out"])
            answer.update(dir=directory, results={"losses": write_tensor(directory, "losses.bin", losses)})
        return answer
