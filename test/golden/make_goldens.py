"""Computes the goldens: values and derivatives in JAX, float64, one JSON file a case in this folder.

    python test/golden/make_goldens.py            writes all files
    python test/golden/make_goldens.py NAME ...   writes only these
    python test/golden/make_goldens.py --check    recomputes them and compares with the stored ones (relative 1e-11)

Needs jax (see bench/peers/README.md). Each file holds {name, description, dtype, source, inputs, outputs}; inputs and outputs
map names to {shape, data}, data flat in row-major order; integer entries have "dtype": "int32". The description has the formula.
"""
import json
import os
import sys

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)

from cases import control, convolution, indexing, layers, networks, scalars  # noqa: F401  (they register their cases)
from cases.golden import CASES, build

HERE = os.path.dirname(os.path.abspath(__file__))
LARGEST_FILE = 60_000
LARGEST_TOTAL = 1_000_000


def text_of(golden):
    """JSON with one line an entry; Python's float representation is the shortest that reads back as the same float64."""
    block = lambda entries: "{\n" + ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}" for name, entry in entries.items()) + "\n  }"
    head = "".join(f"  {json.dumps(key)}: {json.dumps(golden[key])},\n" for key in ("name", "description", "dtype", "source"))
    return "{\n" + head + f'  "inputs": {block(golden["inputs"])},\n  "outputs": {block(golden["outputs"])}\n' + "}\n"


def stored_files():
    return {file[:-5] for file in os.listdir(HERE) if file.endswith(".json")}


def differences(name, golden):
    """What differs between a recomputed golden and the stored one, as lines."""
    with open(os.path.join(HERE, f"{name}.json"), encoding="utf-8") as file:
        stored = json.load(file)
    lines = []
    if stored["description"] != golden["description"]:
        lines.append(f"{name}: description changed")
    for part in ("inputs", "outputs"):
        if stored[part].keys() != golden[part].keys():
            lines.append(f"{name}: {part} have other names")
            continue
        for key, entry in golden[part].items():
            if entry["shape"] != stored[part][key]["shape"]:
                lines.append(f"{name}: {part} {key} has another shape")
                continue
            new, old = np.asarray(entry["data"]), np.asarray(stored[part][key]["data"])
            scale = max(1.0, np.abs(old).max(initial=0))
            # Elsewhere compiled code may add up in another order.
            if np.abs(new - old).max(initial=0) > 1e-11 * scale:
                lines.append(f"{name}: {part} {key} differs by {np.abs(new - old).max():.2e}")
    return lines


def check():
    lines = [f"{name}: no case makes this file" for name in sorted(stored_files() - CASES.keys())]
    lines += [f"{name}: not stored" for name in sorted(CASES.keys() - stored_files())]
    for name in sorted(CASES.keys() & stored_files()):
        lines += differences(name, build(name))
    print("\n".join(lines) if lines else f"{len(CASES)} goldens agree")
    return 1 if lines else 0


def write(names):
    """Writes the named goldens, or all (removing files that no case makes); refuses what would be too large to keep in the tree."""
    texts = {name: text_of(build(name)) for name in names or CASES}
    path_of = lambda name: os.path.join(HERE, f"{name}.json")
    kept = stored_files() & CASES.keys() - texts.keys()
    sizes = {**{name: os.path.getsize(path_of(name)) for name in kept}, **{name: len(text) for name, text in texts.items()}}
    largest = max(sizes, key=sizes.get)
    summary = f"{len(sizes)} goldens, {sum(sizes.values())} bytes, largest {largest} with {sizes[largest]}"
    if sizes[largest] > LARGEST_FILE or sum(sizes.values()) > LARGEST_TOTAL:
        print(f"too large, nothing written: {summary}")
        return 1
    for name in stored_files() - CASES.keys():
        os.remove(path_of(name))
    for name, text in texts.items():
        with open(path_of(name), "w", encoding="utf-8") as file:
            file.write(text)
    print(summary)
    return 0


def main(arguments):
    if arguments == ["--check"]:
        return check()
    unknown = [name for name in arguments if name not in CASES]
    if unknown:
        print(f"no golden is named {', '.join(unknown)}; there are: {', '.join(sorted(CASES))}")
        return 2
    return write(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
