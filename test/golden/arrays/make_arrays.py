"""Arrays of every numeric type, order and version of NumPy's format, with the values that each must have.

python test/golden/arrays/make_arrays.py   (numpy 2)
"""
import io
import json
import pathlib
import zipfile

import numpy as np

here = pathlib.Path(__file__).parent
values = {}
arrays = {}


def add(name, array):
    arrays[name] = array
    values[name] = {"shape": list(array.shape), "elements": [float(x) for x in array.ravel(order="C")]}


base = np.array([[0, 1, 2], [3, 100, 127]])
for kind in ["b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]:
    array = base > 1 if kind == "b1" else base.astype(kind)
    add(kind, array)
    add(f"{kind}-big", array.astype(array.dtype.newbyteorder(">")))
    add(f"{kind}-fortran", np.asfortranarray(array))
add("negative", np.array([-1, -2147483648, 2147483647], dtype="i8"))
add("halves", np.array([0.5, -2.0, 6.1e-5, 5.96e-8, 65504.0], dtype="f2"))
add("cube-fortran", np.asfortranarray(np.arange(24, dtype="f4").reshape(2, 3, 4)))
add("scalar", np.array(3.5, dtype="f4"))
add("empty", np.zeros((0, 3), dtype="f4"))

with zipfile.ZipFile(here / "arrays.npz", "w", zipfile.ZIP_DEFLATED) as archive:
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array)
        archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), buffer.getvalue(), zipfile.ZIP_DEFLATED)
    for version in [(2, 0), (3, 0)]:
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, base.astype("f4"), version=version)
        name = f"version-{version[0]}"
        values[name] = {"shape": [2, 3], "elements": [float(x) for x in base.ravel()]}
        archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), buffer.getvalue(), zipfile.ZIP_STORED)
(here / "arrays.json").write_text(json.dumps(values, indent=1) + "\n")
