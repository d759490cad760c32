"""Scan, while, cond, and transformations stacked on each other."""
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .golden import derivatives, directions, golden, prefixed


@golden
def scan_rnn(rng):
    """h_0 = 0 [2,4]; for t = 0..5: h_{t+1} = tanh(x[t]@wx + h_t@wh + b). L = mean over t and all elements of (h_{t+1} - y[t])^2."""
    x, y = rng.standard_normal((6, 2, 3)), rng.standard_normal((6, 2, 4))
    p = {"wx": rng.standard_normal((3, 4)) / 2, "wh": rng.standard_normal((4, 4)) / 2, "b": 0.2 * rng.standard_normal(4)}

    def loss(p):
        def step(h, inputs):
            h = jnp.tanh(inputs[0] @ p["wx"] + h @ p["wh"] + p["b"])
            return h, jnp.mean((h - inputs[1]) ** 2)
        return lax.scan(step, jnp.zeros((2, 4)), (x, y))[1].mean()

    return derivatives(rng, loss, p, {"x": x, "y": y})


@golden
def scan_gated_rnn(rng):
    """h_0 = the argument h0 [3]; for t = 0..4: g = sigmoid(x[t]*wg + h_t@ug), h_{t+1} = g * h_t + (1-g) * tanh(x[t]*wc + h_t@uc).
    x [5] of scalars, wg, wc [3], ug, uc [3,3]. L = sum(c * h_5) + 0.1 * sum over t of sum(h_{t+1}^2)."""
    x, c = rng.standard_normal(5), rng.standard_normal(3)
    p = {"h0": rng.standard_normal(3), "wg": rng.standard_normal(3), "ug": rng.standard_normal((3, 3)),
         "wc": rng.standard_normal(3), "uc": rng.standard_normal((3, 3))}

    def loss(p):
        def step(h, x):
            gate = jax.nn.sigmoid(x * p["wg"] + h @ p["ug"])
            h = gate * h + (1 - gate) * jnp.tanh(x * p["wc"] + h @ p["uc"])
            return h, jnp.sum(h ** 2)
        last, squares = lax.scan(step, p["h0"], x)
        return c @ last + 0.1 * squares.sum()

    return derivatives(rng, loss, p, {"x": x, "c": c})


@golden
def scan_cumulative_product(rng):
    """A scan with carry p_0 = 1 [3] and p_{t+1} = p_t * x[t], over x [4,3], stacking y[t] = p_{t+1}. L = sum(c * sin(y))."""
    x, c = 1 + 0.5 * rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
    run = lambda x: lax.scan(lambda p, x: (p * x, p * x), jnp.ones(3), x)[1]
    inputs, outputs, note = derivatives(rng, lambda a: jnp.sum(c * jnp.sin(run(a["x"]))), {"x": x}, {"c": c})
    return inputs, {"y": run(x), **outputs}, note


@golden
def scan_reversed(rng):
    """Discounted returns by a scan from the last element to the first: g = 0, for t = 4..0: g = r[t] + gamma * g, y[t] = g.
    gamma is a scalar argument. L = sum(c * y^2)."""
    r, c = rng.standard_normal(5), rng.standard_normal(5)

    def run(a):
        step = lambda g, r: ((r + a["gamma"] * g,) * 2)
        return lax.scan(step, 0.0, a["r"], reverse=True)[1]

    arguments = {"r": r, "gamma": np.float64(0.8)}
    inputs, outputs, note = derivatives(rng, lambda a: jnp.sum(c * run(a) ** 2), arguments, {"c": c})
    return inputs, {"y": run(arguments), **outputs}, note


@golden
def scan_jacobians(rng):
    """Logistic map x_{t+1} = rate * x_t * (1 - x_t), 5 steps from x0: output y [5] = (x_1, ..., x_5), forward [5,2] = dy/d(x0, rate)
    by jacfwd, reverse [5,2] the same by jacrev, second [5,2,2] = the second derivatives."""
    def run(p):
        step = lambda x, _: ((p[1] * x * (1 - x),) * 2)
        return lax.scan(step, p[0], None, length=5)[1]

    p = jnp.array([0.3, 3.2])
    return ({"x0": p[0], "rate": p[1]},
            {"y": run(p), "forward": jax.jacfwd(run)(p), "reverse": jax.jacrev(run)(p), "second": jax.jacfwd(jax.jacrev(run))(p)})


@golden
def while_newton_square_root(rng):
    """For each a: s = a; while |s*s - a| > 1e-13 * a: s = (s + a/s)/2, at most 60 steps. Outputs s, and by forward mode through
    the loop: tangent = ds for da = 1, tangent2 = the derivative of that in the direction da = 1. They are the loop's own derivatives, which
    stop with it: within 1e-11 relative of the closed forms 1/(2 sqrt(a)) and -1/(4 a^1.5)."""
    def root(a):
        unfinished = lambda state: (jnp.abs(state[0] ** 2 - a) > 1e-13 * a) & (state[1] < 60)
        return lax.while_loop(unfinished, lambda state: ((state[0] + a / state[0]) / 2, state[1] + 1), (a, 0))[0]

    a = jnp.array([0.25, 2.0, 3.0, 10.0, 1234.5])
    along = lambda f: lambda a: jax.jvp(f, (a,), (jnp.ones_like(a),))[1]
    s, tangent, tangent2 = root, along(root), along(along(root))
    return {"a": a}, {"s": jax.vmap(s)(a), "tangent": jax.vmap(tangent)(a), "tangent2": jax.vmap(tangent2)(a)}


@golden
def while_fixed_trip_count(rng):
    """x [3], 4 rounds of a while loop over (i, x): x <- sin(x) + 0.1*i*x^2 for i = 0,1,2,3. Outputs y, tangent = dy in direction v,
    second = the derivative of the tangent (x moving along w, v fixed)."""
    def run(x):
        return lax.while_loop(lambda s: s[0] < 4, lambda s: (s[0] + 1, jnp.sin(s[1]) + 0.1 * s[0] * s[1] ** 2), (0, x))[1]

    x, v, w = rng.standard_normal((3, 3))
    along = lambda f, v: lambda x: jax.jvp(f, (x,), (v,))[1]
    return {"x": x, "v": v, "w": w}, {"y": run(x), "tangent": along(run, v)(x), "second": along(along(run, v), w)(x)}


@golden
def cond_gradients(rng):
    """f(s, x) = sum(sin(x) * x) if s > 0, else sum(exp(x) * b), with s = sum(x). Evaluated at two points x = positive and
    x = negative (named for the sign of their sum): value.P, grad.P, hvp.P (Hessian at P times v), gradb.P = df/db."""
    def f(x, b):
        return lax.cond(jnp.sum(x) > 0, lambda x, b: jnp.sum(jnp.sin(x) * x), lambda x, b: jnp.sum(jnp.exp(x) * b), x, b)

    v, b, x = rng.standard_normal((3, 4))
    points = {"positive": x - x.mean() + 0.4, "negative": x - x.mean() - 0.3}
    outputs = {}
    for name, at in points.items():
        outputs[f"value.{name}"] = f(at, b)
        outputs[f"grad.{name}"], outputs[f"gradb.{name}"] = jax.grad(f, (0, 1))(at, b)
        outputs[f"hvp.{name}"] = jax.jvp(jax.grad(lambda x: f(x, b)), (at,), (v,))[1]
    return {**points, "b": b, "v": v}, outputs


@golden
def vmap_of_grad(rng):
    """f(w, x, y) = (tanh(x . w) - y)^2. Output gradients [6,4] = df/dw for every row (x_n, y_n) with the same w; hvps [6,4] = the
    Hessian in w of every row's f times v; squared_norms [6] of the gradients; variance [4] = their biased variance over rows."""
    f = lambda w, x, y: (jnp.tanh(x @ w) - y) ** 2
    w, v, x, y = rng.standard_normal(4), rng.standard_normal(4), rng.standard_normal((6, 4)), rng.standard_normal(6)
    gradients = jax.vmap(jax.grad(f), (None, 0, 0))(w, x, y)
    hvps = jax.vmap(lambda x, y: jax.jvp(lambda w: jax.grad(f)(w, x, y), (w,), (v,))[1])(x, y)
    return ({"w": w, "v": v, "x": x, "y": y},
            {"gradients": gradients, "hvps": hvps, "squared_norms": jnp.sum(gradients ** 2, 1), "variance": gradients.var(0)})


@golden
def nested_vmap(rng):
    """k(a, b) = exp(-sum((a-b)^2)/2). Outputs for rows a_i of A [4,3] and b_j of B [5,3]: gram [4,5] = k(a_i, b_j);
    grads [4,5,3] = dk/da at each pair; mixed [4,5,3,3] = d2k/(da_p db_q) at each pair."""
    k = lambda a, b: jnp.exp(-jnp.sum((a - b) ** 2) / 2)
    pairs = lambda f: jax.vmap(jax.vmap(f, (None, 0)), (0, None))
    a, b = rng.standard_normal((4, 3)), rng.standard_normal((5, 3))
    return {"A": a, "B": b}, {"gram": pairs(k)(a, b), "grads": pairs(jax.grad(k))(a, b), "mixed": pairs(jax.jacfwd(jax.grad(k), 1))(a, b)}


@golden
def vmap_over_other_axes(rng):
    """f(m, s) = sin(m) @ s, m [2,3], s [3] -> [2]. Inputs M [2,5,3] mapped over axis 1 and S [3,5] over axis 1; y [2,5] is stacked
    on axis 1: y[:, n] = f(M[:, n, :], S[:, n]). tangent [2,5] = dy along (v.M, v.S)."""
    f = jax.vmap(lambda m, s: jnp.sin(m) @ s, (1, 1), 1)
    arguments = {"M": rng.standard_normal((2, 5, 3)), "S": rng.standard_normal((3, 5))}
    v = directions(rng, arguments)
    y, tangent = jax.jvp(lambda a: f(a["M"], a["S"]), (arguments,), (v,))
    return {**arguments, **prefixed("v", v)}, {"y": y, "tangent": tangent}


def two_layers(x, w):
    return jnp.tanh(w @ x) * jnp.sum(x ** 2)


@golden
def jvp_of_vjp(rng):
    """f(x) = tanh(w@x) * sum(x^2), x [4], w [3,4]. g(x, u) = J(x)^T u, the vjp. Outputs pullback = g(x, u), and
    tangent = the derivative of g along (dx, du) = (v, t)."""
    w, x, v, u, t = rng.standard_normal((3, 4)), *rng.standard_normal((2, 4)), *rng.standard_normal((2, 3))
    g = lambda x, u: jax.vjp(lambda x: two_layers(x, w), x)[1](u)[0]
    pullback, tangent = jax.jvp(g, (x, u), (v, t))
    return {"w": w, "x": x, "v": v, "u": u, "t": t}, {"pullback": pullback, "tangent": tangent}


@golden
def vjp_of_jvp(rng):
    """f(x) = tanh(w@x) * sum(x^2), x [4], w [3,4]. h(x, v) = J(x) v, the jvp. Outputs pushforward = h(x, v), and the vjp of h
    with cotangent u: grad.x and grad.v."""
    w, x, v, u = rng.standard_normal((3, 4)), *rng.standard_normal((2, 4)), rng.standard_normal(3)
    h = lambda x, v: jax.jvp(lambda x: two_layers(x, w), (x,), (v,))[1]
    pushforward, pull = jax.vjp(h, x, v)
    grad_x, grad_v = pull(u)
    return {"w": w, "x": x, "v": v, "u": u}, {"pushforward": pushforward, "grad.x": grad_x, "grad.v": grad_v}


@golden
def derivative_of_hessian_eigen_quotient(rng):
    """f(x) = sum(tanh(w@x)^2) + sum(x^4)/4, x [3], w [4,3]. r(x) = v^T H(x) v / (v^T v), the Rayleigh quotient of its Hessian.
    Outputs r, grad_r = dr/dx (third derivatives of f), hessian_r = d2r/dx2 (fourth)."""
    w, x, v = rng.standard_normal((4, 3)), rng.standard_normal(3), rng.standard_normal(3)
    f = lambda x: jnp.sum(jnp.tanh(w @ x) ** 2) + jnp.sum(x ** 4) / 4
    r = lambda x: v @ jax.jvp(jax.grad(f), (x,), (v,))[1] / (v @ v)
    return {"w": w, "x": x, "v": v}, {"r": r(x), "grad_r": jax.grad(r)(x), "hessian_r": jax.hessian(r)(x)}
