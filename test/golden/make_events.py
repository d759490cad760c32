"""Records as TensorBoard itself frames and encodes them; `pip install tensorboard`, then `python make_events.py > events/tensorboard.json`."""
import json
import struct
import sys

from tensorboard import __version__
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c


def record(event):
    data = event.SerializeToString()
    header = struct.pack("<Q", len(data))
    return (header + struct.pack("<I", masked_crc32c(header)) + data + struct.pack("<I", masked_crc32c(data))).hex()


def scalars(wall_time, step, values):
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values])
    return Event(wall_time=wall_time, step=step, summary=summary)


json.dump({
    "generator": f"tensorboard {__version__}",
    "header": record(Event(wall_time=1700000000.5, file_version="brain.Event:2")),
    "restart": record(Event(wall_time=1700000001, step=300, session_log=SessionLog(status=SessionLog.START))),
    "scalars": [
        {"wallTime": 1700000002.25, "step": step, "scalars": dict(values), "record": record(scalars(1700000002.25, step, values))}
        for step, values in [
            (0, [("loss", 2.25)]),
            (1, [("loss", 0.1), ("evaluation.test-accuracy", 0.5), ("update-ratio/layers.0.weight \u00e9", -1e-30)]),
            (300, [("sharpness", 40.0625), ("x" * 200, 3e38)]),
            (5_000_000_000, [("a", 0.0), ("b", 1.0)]),
        ]
    ],
}, sys.stdout, indent=1)
print()
