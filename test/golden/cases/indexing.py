"""Gather, scatter, slices, padding, sorting, cumulative and reducing operations, products."""
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .golden import derivatives, golden


def curved(rng, f, arguments, constants=None):
    """L = sum(c * sin(y)), y = f(arguments)."""
    y = f({key: jnp.asarray(value) for key, value in arguments.items()})
    c = rng.standard_normal(y.shape)
    inputs, outputs, note = derivatives(rng, lambda a: jnp.sum(c * jnp.sin(f(a))), arguments, {**(constants or {}), "c": c})
    return inputs, {"y": y, **outputs}, "L = sum(c * sin(y)). " + note


@golden
def take_rows(rng):
    """y [2,3,4] = x[indices] (axis 0 of x [5,4]), indices [2,3] with repeats."""
    indices = np.array([[0, 3, 3], [4, 0, 3]])
    return curved(rng, lambda a: jnp.take(a["x"], indices, 0), {"x": rng.standard_normal((5, 4))}, {"indices": indices})


@golden
def take_middle_axis(rng):
    """y [2,4,3] with y[i,j,k] = x[i, indices[j], k], x [2,5,3], indices [4] with repeats."""
    indices = np.array([4, 1, 1, 0])
    return curved(rng, lambda a: jnp.take(a["x"], indices, 1), {"x": rng.standard_normal((2, 5, 3))}, {"indices": indices})


@golden
def take_along_last_axis(rng):
    """y [4,3] with y[i,j] = x[i, indices[i,j]], x [4,5], indices [4,3] with repeats."""
    indices = np.array([[0, 1, 4], [2, 2, 0], [3, 3, 3], [4, 0, 1]])
    return curved(rng, lambda a: jnp.take_along_axis(a["x"], indices, 1), {"x": rng.standard_normal((4, 5))}, {"indices": indices})


@golden
def gather_points(rng):
    """y [4] with y[n] = x[rows[n], columns[n]]^2, x [3,5]; the point (1,2) is taken twice."""
    rows, columns = np.array([0, 1, 2, 1]), np.array([4, 2, 0, 2])
    return curved(rng, lambda a: a["x"][rows, columns] ** 2, {"x": rng.standard_normal((3, 5))}, {"rows": rows, "columns": columns})


@golden
def scatter_add_rows(rng):
    """y [5,3] = x, then for n = 0..3: y[indices[n]] += updates[n]^2; indices repeat, so updates add up."""
    indices = np.array([1, 4, 1, 0])
    f = lambda a: a["x"].at[indices].add(a["updates"] ** 2)
    return curved(rng, f, {"x": rng.standard_normal((5, 3)), "updates": rng.standard_normal((4, 3))}, {"indices": indices})


@golden
def scatter_set_rows(rng):
    """y [5,3] = x with y[indices[n]] = x[0] * updates[n] for n = 0,1,2 (x[0] of the old x); indices are distinct, so replaced
    rows of x have gradient zero but for the use of x[0]."""
    indices = np.array([3, 0, 4])
    f = lambda a: a["x"].at[indices].set(a["x"][0] * a["updates"])
    return curved(rng, f, {"x": rng.standard_normal((5, 3)), "updates": rng.standard_normal((3, 3))}, {"indices": indices})


@golden
def segment_sum(rng):
    """y [3,2]: y[s] = sum of exp(x[n]) over the rows n with segments[n] = s (x [6,2])."""
    segments = np.array([0, 2, 2, 0, 1, 2])
    f = lambda a: jax.ops.segment_sum(jnp.exp(a["x"]), segments, 3)
    return curved(rng, f, {"x": rng.standard_normal((6, 2))}, {"segments": segments})


@golden
def dynamic_slices(rng):
    """x [5,6], start (2,1), size 2x4: y [2,4] = x[2:4, 1:5] by a slice whose start is data."""
    start = np.array([2, 1])
    f = lambda a: lax.dynamic_slice(a["x"], start, (2, 4))
    return curved(rng, f, {"x": rng.standard_normal((5, 6))}, {"start": start})


@golden
def dynamic_slice_clamped(rng):
    """x [5,6], start (4,-3), size 2x4: starts are clamped so that the slice lies inside: (3,0); y = x[3:5, 0:4]. A negative start
    counts from the front (it is not Python's index from the end)."""
    start = np.array([4, -3])
    # lax.slice at the clamped start: JAX's wrapper wraps negative starts, the underlying operation clamps them.
    f = lambda a: lax.slice(a["x"], (3, 0), (5, 4))
    return curved(rng, f, {"x": rng.standard_normal((5, 6))}, {"start": start})


@golden
def dynamic_updates(rng):
    """y [4,5] = x^2 with y[1:3, 2:5] = u * x[0, 0:3] (broadcast over rows), by an update whose start (1,2) is data."""
    start = np.array([1, 2])
    f = lambda a: lax.dynamic_update_slice(a["x"] ** 2, a["u"] * a["x"][0, :3], start)
    return curved(rng, f, {"x": rng.standard_normal((4, 5)), "u": rng.standard_normal((2, 3))}, {"start": start})


@golden
def sorting(rng):
    """y [3,5] = x sorted ascending along the last axis (no ties). Output permutation [3,5]: y[i,j] = x[i, permutation[i,j]]."""
    x = rng.standard_normal((3, 5))
    inputs, outputs, note = curved(rng, lambda a: jnp.sort(a["x"], -1), {"x": x})
    return inputs, {**outputs, "permutation": np.argsort(x, -1)}, note


@golden
def sort_by_keys(rng):
    """Rows of x [5,2] put in the ascending order of keys [5], then weighted: y[n] = x[order[n]] * sorted_keys[n]. Gradients go to both."""
    def f(a):
        order = jnp.argsort(a["keys"])
        return a["x"][order] * a["keys"][order][:, None]
    return curved(rng, f, {"x": rng.standard_normal((5, 2)), "keys": rng.standard_normal(5)})


@golden
def top_k(rng):
    """y [3,2] = the 2 largest of each row of x [3,6], largest first. Output indices [3,2] are their positions."""
    x = rng.standard_normal((3, 6))
    inputs, outputs, note = curved(rng, lambda a: lax.top_k(a["x"], 2)[0], {"x": x})
    return inputs, {**outputs, "indices": lax.top_k(x, 2)[1]}, note


@golden
def cumulative_sum(rng):
    """y = cumulative sum of x^2 along axis 0 (x [4,3]) plus the cumulative sum of x along axis 1 taken from the end (reversed)."""
    return curved(rng, lambda a: lax.cumsum(a["x"] ** 2, 0) + lax.cumsum(a["x"], 1, reverse=True), {"x": rng.standard_normal((4, 3))})


@golden
def cumulative_product(rng):
    """y [2,5] = cumulative product of x along axis 1."""
    return curved(rng, lambda a: lax.cumprod(a["x"], 1), {"x": 1 + 0.6 * rng.standard_normal((2, 5))})


@golden
def cumulative_extrema(rng):
    """y [3,5] = cumulative maximum of x along axis 1, plus the cumulative minimum of x along axis 0. All values of x are
    distinct; a running extremum's gradient goes whole to the element that set it."""
    x = rng.permutation(15).reshape(3, 5) / 4.0
    return curved(rng, lambda a: lax.cummax(a["x"], 1) + lax.cummin(a["x"], 0), {"x": x})


@golden
def strided_slices(rng):
    """x [6,7]: y [2,3] = x[1:6:3, 0:6:2] (rows 1, 4; columns 0, 2, 4) * x[0:2, 4:7]: overlapping uses of x."""
    return curved(rng, lambda a: a["x"][1:6:3, 0:6:2] * a["x"][0:2, 4:7], {"x": rng.standard_normal((6, 7))})


@golden
def padding(rng):
    """y [6,5] = x [3,4] padded with the scalar argument fill: axis 0 low 1, high 0, interior 1 (one fill between rows);
    axis 1 low -1 (first column cropped), high 2, interior 0."""
    f = lambda a: lax.pad(a["x"], a["fill"], [(1, 0, 1), (-1, 2, 0)])
    return curved(rng, f, {"x": rng.standard_normal((3, 4)), "fill": np.float64(0.7)})


@golden
def padding_negative_interior(rng):
    """y = x [4] padded with 0: low -2, high -1, interior 2: x dilated has length 10, then the first 2 and the last 1 elements are cut: [7]."""
    return curved(rng, lambda a: lax.pad(a["x"], 0.0, [(-2, -1, 2)]), {"x": rng.standard_normal(4)})


@golden
def reverse_and_concatenate(rng):
    """y [3,7] = concatenate along axis 1 of (x reversed on both axes, a [3,2], x[:, :1] * a[:, 1:]); x [3,4]."""
    f = lambda t: jnp.concatenate([t["x"][::-1, ::-1], t["a"], t["x"][:, :1] * t["a"][:, 1:]], 1)
    return curved(rng, f, {"x": rng.standard_normal((3, 4)), "a": rng.standard_normal((3, 2))})


@golden
def roll_tile_transpose(rng):
    """x [2,3]: r = x with its columns moved one to the right, cyclically; y [3,4] = transpose of (r tiled twice along axis 0)."""
    return curved(rng, lambda a: jnp.tile(jnp.roll(a["x"], 1, 1), (2, 1)).T, {"x": rng.standard_normal((2, 3))})


@golden
def einsum_batched(rng):
    """y [2,4,3] = einsum('bij,bjk->bik', p, q), p [2,4,5], q [2,5,3]: batched matrix products."""
    return curved(rng, lambda a: jnp.einsum("bij,bjk->bik", a["p"], a["q"]), {"p": rng.standard_normal((2, 4, 5)), "q": rng.standard_normal((2, 5, 3))})


@golden
def einsum_attention(rng):
    """y [2,3,4,5] = einsum('bqhd,bkhd->bhqk', p, q), p [2,4,3,2], q [2,5,3,2]: two batch axes out of order."""
    return curved(rng, lambda a: jnp.einsum("bqhd,bkhd->bhqk", a["p"], a["q"]),
                  {"p": 0.6 * rng.standard_normal((2, 4, 3, 2)), "q": 0.6 * rng.standard_normal((2, 5, 3, 2))})


@golden
def einsum_bilinear(rng):
    """y [4,2] = einsum('ni,oij,nj->no', x, w, z), x [4,3], w [2,3,5], z [4,5]."""
    return curved(rng, lambda a: jnp.einsum("ni,oij,nj->no", a["x"], a["w"], a["z"]),
                  {"x": rng.standard_normal((4, 3)), "w": rng.standard_normal((2, 3, 5)), "z": 0.5 * rng.standard_normal((4, 5))})


@golden
def einsum_two_contractions(rng):
    """y [2,3] = einsum('aijb,jic->bc', p, q) + einsum('b,c->bc', s[:2], s) * einsum('ii->', m): p [2,3,4,2] (its axis a is
    summed out alone), q [4,3,3], s [3], m [3,3]: two contracted axes, an outer product, a trace."""
    def f(a):
        return (jnp.einsum("aijb,jic->bc", a["p"], a["q"])
                + jnp.einsum("b,c->bc", a["s"][:2], a["s"]) * jnp.einsum("ii->", a["m"]))
    return curved(rng, f, {"p": 0.4 * rng.standard_normal((2, 3, 4, 2)), "q": 0.4 * rng.standard_normal((4, 3, 3)),
                           "s": rng.standard_normal(3), "m": rng.standard_normal((3, 3))})


@golden
def reduce_product(rng):
    """y [3] = product of the rows of x [3,4] (axis 1), no zeros."""
    return curved(rng, lambda a: jnp.prod(a["x"], 1), {"x": 1 + 0.6 * rng.standard_normal((3, 4))})


@golden
def reduce_product_with_zeros(rng):
    """y [3] = product of the rows of x [3,3]; row 0 has one zero, row 1 two, row 2 three. The gradient is the product of the others
    (not y / x), the Hessian the product of the others but two."""
    x = np.array([[2.0, 0.0, -1.5], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0]])
    return curved(rng, lambda a: jnp.prod(a["x"], 1), {"x": x})


@golden
def reduce_extrema(rng):
    """x [3,4,2]: y [3] = (maximum over axes 1 and 2) * (minimum over axes 1 and 2) + (mean over axes 1 and 2)^2. No ties."""
    return curved(rng, lambda a: a["x"].max((1, 2)) * a["x"].min((1, 2)) + a["x"].mean((1, 2)) ** 2, {"x": rng.standard_normal((3, 4, 2))})


@golden
def reduce_extrema_ties(rng):
    """Gradients at ties, JAX's convention: equal shares. maximum.grad, minimum.grad [3,4] = gradient in x of sum over rows of the row's
    maximum or minimum. pair.grad.x, pair.grad.y [4] = gradient of sum(max(x[0], x[1])) in the two rows: 1/2 each where they tie.
    relu.grad [4] = gradient of sum(relu(x[2])), 0 at 0."""
    x = jnp.array([[1.0, 3.0, 3.0, -2.0], [5.0, 3.0, -1.0, -2.0], [0.0, 2.0, 0.0, -1.0]])
    grad_x, grad_y = jax.grad(lambda a, b: jnp.sum(jnp.maximum(a, b)), (0, 1))(x[0], x[1])
    return {"x": x}, {
        "maximum.grad": jax.grad(lambda x: x.max(1).sum())(x), "minimum.grad": jax.grad(lambda x: x.min(1).sum())(x),
        "pair.grad.x": grad_x, "pair.grad.y": grad_y,
        "relu.grad": jax.grad(lambda x: jnp.sum(jax.nn.relu(x)))(x[2])}


@golden
def moments(rng):
    """x [4,5]: y [5] = (biased standard deviation over axis 0) * (sum over axis 0 of x^3) + (norm of the column)."""
    return curved(rng, lambda a: jnp.std(a["x"], 0) * jnp.sum(a["x"] ** 3, 0) + jnp.linalg.norm(a["x"], axis=0), {"x": rng.standard_normal((4, 5))})
