"""Elementwise functions to the third derivative, by nested grad."""
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .golden import derivatives, golden


def table(x, functions):
    """f, f.d1, f.d2, f.d3 of every function at every x."""
    outputs = {}
    for name, f in functions.items():
        for order in range(4):
            outputs[name if order == 0 else f"{name}.d{order}"] = jax.vmap(f)(x)
            f = jax.grad(f)
    return {"x": x}, outputs


@golden
def third_derivatives_everywhere(rng):
    """Scalar functions of x, each NAME with NAME.d1, NAME.d2, NAME.d3, its first three derivatives at every x: tanh, erf, exp, expm1, sin, cos,
    sinh, cosh, atan, sigmoid = 1/(1+exp(-x)), softplus = log(1+exp(x)), gelu = x/2*(1+erf(x/sqrt(2))), tan."""
    return table(np.array([-1.4, -0.6, 0.0, 0.25, 1.1]), {
        "tanh": jnp.tanh, "erf": lax.erf, "exp": jnp.exp, "expm1": jnp.expm1, "sin": jnp.sin, "cos": jnp.cos, "sinh": jnp.sinh,
        "cosh": jnp.cosh, "atan": jnp.arctan, "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus,
        "gelu": lambda x: jax.nn.gelu(x, approximate=False), "tan": jnp.tan})


@golden
def third_derivatives_positive(rng):
    """Scalar functions of x > 0, each NAME with NAME.d1, NAME.d2, NAME.d3: log, log1p, sqrt, rsqrt = 1/sqrt(x), reciprocal = 1/x,
    power = x^2.5, self_power = x^x, square = x^2."""
    return table(np.array([0.05, 0.7, 1.0, 3.2]), {
        "log": jnp.log, "log1p": jnp.log1p, "sqrt": jnp.sqrt, "rsqrt": lax.rsqrt, "reciprocal": lambda x: 1 / x,
        "power": lambda x: x ** 2.5, "self_power": lambda x: x ** x, "square": lambda x: x * x})


@golden
def third_derivatives_unit_interval(rng):
    """Scalar functions of |x| < 1, each NAME with NAME.d1, NAME.d2, NAME.d3: asin, acos, log1p."""
    return table(np.array([-0.9, -0.3, 0.0, 0.55]), {"asin": jnp.arcsin, "acos": jnp.arccos, "log1p": jnp.log1p})


@golden
def third_derivatives_binary(rng):
    """Functions of (x, y) at each pair: pow = x^y, atan2 = atan2(x, y) (the angle whose sine is towards x), div = x / y,
    hypot = sqrt(x^2+y^2). NAME, then every partial derivative of orders 1 to 3: NAME.x = d/dx, NAME.xy = d2/dxdy, NAME.xxy = d3/dx2dy, ..."""
    x, y = np.array([0.4, 1.3, 2.0]), np.array([1.7, -0.8, 3.0])
    functions = {"pow": jnp.power, "atan2": jnp.arctan2, "div": lambda x, y: x / y, "hypot": lambda x, y: jnp.sqrt(x * x + y * y)}
    outputs = {}
    for name, f in functions.items():
        outputs[name] = jax.vmap(f)(x, y)
        for partial in ("x", "y", "xx", "xy", "yy", "xxx", "xxy", "xyy", "yyy"):
            g = f
            for variable in partial:
                g = jax.grad(g, argnums="xy".index(variable))
            outputs[f"{name}.{partial}"] = jax.vmap(g)(x, y)
    return {"x": x, "y": y}, outputs


@golden
def piecewise_gradients(rng):
    """Elementwise, away from ties, with x, y [6]: L = sum(c * (max(x,y)^2 + sin(min(x,y)) + |x|*y + clip(x,-0.5,0.5)^3
    + where(x > y, x*y, y^3) + sign(x)*exp(y))), sign having derivative zero."""
    c = rng.standard_normal(6)

    def loss(a):
        x, y = a["x"], a["y"]
        terms = (jnp.maximum(x, y) ** 2 + jnp.sin(jnp.minimum(x, y)) + jnp.abs(x) * y + jnp.clip(x, -0.5, 0.5) ** 3
                 + jnp.where(x > y, x * y, y ** 3) + jnp.sign(x) * jnp.exp(y))
        return jnp.sum(c * terms)

    return derivatives(rng, loss, {"x": rng.standard_normal(6), "y": rng.standard_normal(6)}, {"c": c})
