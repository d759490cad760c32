"""Spectral estimates from products `multiply(vector) -> vector` with a symmetric matrix, over flat float32 vectors.

Vectors are torch tensors or numpy arrays: only what both spell alike is used. `empty(shape)` makes an array of the kind.
Two families: PyHessian's algorithms, written from their definition (Yao et al. 2020, section 3 and appendix; the stopping rules and
the additive epsilon are those of its program), and plain Lanczos with full reorthogonalisation, for the same results at the same accuracy.
"""
import numpy as np

EPSILON = 1e-6
CHECK_EVERY = 4
SMALL = 0.01


def norm(vector):
    return float(vector @ vector) ** 0.5


def almost_unit(vector):
    """PyHessian's normalisation: the additive epsilon keeps zero vectors from becoming NaN."""
    return vector / (norm(vector) + EPSILON)


def power_iteration(multiply, starts, count, tolerance=1e-3, most=100):
    """PyHessian's `eigenvalues`: deflated power iteration, largest magnitude first, until the Rayleigh quotient changes by
    less than `tolerance` of the one before; that one is reported. `starts` gives Gaussian vectors. Returns (values, vectors)."""
    values, found = [], []
    for k in range(count):
        vector, value = almost_unit(starts(k)), None
        for _ in range(most):
            for other in found:
                vector = vector - (vector @ other) * other
            vector = almost_unit(vector)
            image = multiply(vector)
            quotient = float(vector @ image)
            vector = almost_unit(image)
            if value is not None and abs(value - quotient) / (abs(value) + EPSILON) < tolerance:
                break
            value = quotient
        values.append(value)
        found.append(vector)
    return values, found


def pyhessian_quadrature(multiply, start, steps):
    """PyHessian's `density` for one probe: Lanczos, each new vector made orthogonal to all earlier ones one after another, once.
    Returns (nodes, weights): eigenvalues of the tridiagonal matrix and squared first components of its eigenvectors."""
    diagonal, coupling = [], []
    basis = [almost_unit(start)]
    for step in range(steps):
        image = multiply(basis[step])
        diagonal.append(float(image @ basis[step]))
        image = image - diagonal[-1] * basis[step]
        if step > 0:
            image = image - coupling[-1] * basis[step - 1]
        coupling.append(norm(image))
        for vector in basis:
            image = image - (image @ vector) * vector
        basis.append(almost_unit(image))
    return quadrature(diagonal, coupling)


class Lanczos:
    """A growing orthonormal basis V with V'AV tridiagonal; classical Gram-Schmidt, twice."""

    def __init__(self, multiply, start, empty, most):
        self.multiply = multiply
        # Pages of an empty array take memory when they are first written.
        self.basis = empty((most + 1, len(start)))
        self.basis[0] = start / norm(start)
        self.diagonal, self.coupling = [], []

    def step(self):
        known = len(self.diagonal)
        image = self.multiply(self.basis[known])
        self.diagonal.append(float(image @ self.basis[known]))
        before = self.basis[:known + 1]
        for _ in range(2):
            image = image - before.T @ (before @ image)
        self.coupling.append(norm(image))
        self.basis[known + 1] = image / max(self.coupling[-1], 1e-30)


def tridiagonal(diagonal, coupling):
    """(values ascending, vectors) of the tridiagonal matrix, in float64."""
    inner = coupling[:len(diagonal) - 1]
    return np.linalg.eigh(np.diag(diagonal) + np.diag(inner, 1) + np.diag(inner, -1))


def quadrature(diagonal, coupling):
    values, vectors = tridiagonal(diagonal, coupling)
    return values, vectors[0] ** 2


def lanczos_quadrature(multiply, start, empty, steps):
    """Gauss quadrature of one probe: (nodes, weights)."""
    space = Lanczos(multiply, start, empty, steps)
    for _ in range(steps):
        space.step()
    return quadrature(space.diagonal, space.coupling)


def lanczos_eigenpairs(multiply, start, empty, count, tolerance, most=300):
    """The `count` largest eigenvalues in magnitude by Lanczos without restarts, until the residual of each, by the relation of the search,
    is below `tolerance` times its value (of a hundredth of the largest for smaller ones). Returns (values, vectors)."""
    most = min(most, len(start))
    space = Lanczos(multiply, start, empty, most)
    for step in range(1, most + 1):
        space.step()
        if step < count or (step % CHECK_EVERY != 0 and step < most):
            continue
        values, weights = tridiagonal(space.diagonal, space.coupling)
        order = np.argsort(-np.abs(values))[:count]
        residuals = abs(space.coupling[-1] * weights[-1, order])
        if np.all(residuals <= tolerance * np.maximum(np.abs(values[order]), SMALL * np.abs(values).max())):
            break
    known = space.basis[:len(space.diagonal)]
    factors = empty((len(known), count))
    factors[:] = type_like(factors, weights[:, order])
    vectors = known.T @ factors
    return list(values[order]), [vectors[:, k] for k in range(count)]


def type_like(array, values):
    """`values` as the kind of `array`."""
    values = values.astype(np.float32)
    return values if isinstance(array, np.ndarray) else array.new_tensor(values)


def residual(multiply, value, vector):
    """|A v - value v| / |value| of the unit vector."""
    unit = vector / norm(vector)
    return norm(multiply(unit) - value * unit) / abs(value)
