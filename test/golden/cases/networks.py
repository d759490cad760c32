"""Small networks: gradients, Hessians, Gauss-Newton products, per-example Jacobians."""
import jax
import jax.numpy as jnp
import numpy as np

from .golden import cross_entropy, derivatives, directions, golden, mlp, mlp_parameters, prefixed


@golden
def mlp_tanh_cross_entropy(rng):
    """z = tanh(x@w1+b1)@w2+b2. L = mean over rows of -log_softmax(z)[row, labels[row]]."""
    p, x, labels = mlp_parameters(rng, [5, 7, 4]), rng.standard_normal((6, 5)), rng.integers(0, 4, 6)
    return derivatives(rng, lambda p: cross_entropy(mlp(p, x), labels), p, {"x": x, "labels": labels})


@golden
def mlp_three_layers_squared_error(rng):
    """z = tanh(tanh(x@w1+b1)@w2+b2)@w3+b3. L = mean over all elements of (z - y)^2."""
    p, x, y = mlp_parameters(rng, [4, 6, 5, 3]), rng.standard_normal((5, 4)), rng.standard_normal((5, 3))
    return derivatives(rng, lambda p: jnp.mean((mlp(p, x) - y) ** 2), p, {"x": x, "y": y})


@golden
def mlp_gauss_newton_product(rng):
    """z = tanh(x@w1+b1)@w2+b2, loss l(z) = mean over rows of -log_softmax(z)[row, labels[row]].
    Output ggnvp.K = the K part of J^T H J v: J = dz/d(w1,b1,w2,b2), H = the Hessian of l in z, v.K the vector's parts."""
    p, x, labels = mlp_parameters(rng, [5, 6, 4]), rng.standard_normal((6, 5)), rng.integers(0, 4, 6)
    v = directions(rng, p)
    z, tangent = jax.jvp(lambda p: mlp(p, x), (p,), (v,))
    curved = jax.jvp(jax.grad(lambda z: cross_entropy(z, labels)), (z,), (tangent,))[1]
    product = jax.vjp(lambda p: mlp(p, x), p)[1](curved)[0]
    return {**p, "x": x, "labels": labels, **prefixed("v", v)}, prefixed("ggnvp", product)


def tiny(rng):
    p, x, labels = mlp_parameters(rng, [3, 3, 2]), rng.standard_normal((5, 3)), rng.integers(0, 2, 5)
    keys = ["w1", "b1", "w2", "b2"]
    flat = jnp.concatenate([p[key].ravel() for key in keys])

    def loss(flat):
        split, start = {}, 0
        for key in keys:
            split[key] = flat[start:start + p[key].size].reshape(p[key].shape)
            start += p[key].size
        return cross_entropy(mlp(split, x), labels)

    return p, x, labels, flat, loss


@golden
def mlp_full_hessian(rng):
    """z = tanh(x@w1+b1)@w2+b2, L = mean over rows of -log_softmax(z)[row, labels[row]]. Output hessian = d2L/dp2 [20,20]
    and eigenvalues (ascending), with p the concatenation of w1, b1, w2, b2, each flattened row-major."""
    p, x, labels, flat, loss = tiny(rng)
    hessian = jax.hessian(loss)(flat)
    return {**p, "x": x, "labels": labels}, {"hessian": hessian, "eigenvalues": np.linalg.eigvalsh(hessian)}


@golden
def mlp_third_derivative(rng):
    """z = tanh(x@w1+b1)@w2+b2, L = mean over rows of -log_softmax(z)[row, labels[row]], p = concatenation of w1, b1, w2, b2
    flattened row-major. Outputs: third = D3L(p)[a,b,c], the third derivative contracted with the inputs a, b, c [20];
    gradient = the gradient in p of (a^T Hessian(p) b)."""
    p, x, labels, flat, loss = tiny(rng)
    a, b, c = rng.standard_normal((3, flat.size))
    along = lambda f, v: lambda p: jax.jvp(f, (p,), (jnp.asarray(v),))[1]
    quadratic = along(along(loss, a), b)
    return ({**p, "x": x, "labels": labels, "a": a, "b": b, "c": c},
            {"third": along(quadratic, c)(flat), "gradient": jax.grad(quadratic)(flat)})


def per_example_jacobian(rng, transform):
    p, x = mlp_parameters(rng, [3, 4, 2]), rng.standard_normal((5, 3))
    jacobian = jax.vmap(lambda row: transform(lambda p: mlp(p, row))(p))(x)
    flat = np.concatenate([np.asarray(jacobian[key]).reshape(5, 2, -1) for key in ("w1", "b1", "w2", "b2")], axis=2)
    return {**p, "x": x}, {**prefixed("jacobian", jacobian), "kernel": np.einsum("aip,bjp->abij", flat, flat)}


@golden
def per_example_jacobian_reverse(rng):
    """For each row x_n: z(x_n) = tanh(x_n@w1+b1)@w2+b2 [2]. Output jacobian.K [5, 2, ...shape of K] = dz(x_n)_i/dK (vmap of
    jacrev); kernel[a,b,i,j] = sum over all parameters of dz(x_a)_i * dz(x_b)_j, the empirical neural tangent kernel."""
    return per_example_jacobian(rng, jax.jacrev)


@golden
def per_example_jacobian_forward(rng):
    """For each row x_n: z(x_n) = tanh(x_n@w1+b1)@w2+b2 [2]. Output jacobian.K [5, 2, ...shape of K] = dz(x_n)_i/dK (vmap of
    jacfwd); kernel[a,b,i,j] = sum over all parameters of dz(x_a)_i * dz(x_b)_j, the empirical neural tangent kernel."""
    return per_example_jacobian(rng, jax.jacfwd)


def activation_net(rng, activation):
    p, x, labels = mlp_parameters(rng, [5, 6, 3]), 1.5 * rng.standard_normal((6, 5)), rng.integers(0, 3, 6)
    return derivatives(rng, lambda p: cross_entropy(mlp(p, x, activation), labels), p, {"x": x, "labels": labels})


@golden
def mlp_relu(rng):
    """z = relu(x@w1+b1)@w2+b2, relu(t) = max(t, 0), relu'(0) = 0 (not reached). L = mean of -log_softmax(z)[row, labels[row]]."""
    return activation_net(rng, jax.nn.relu)


@golden
def mlp_gelu_exact(rng):
    """z = gelu(x@w1+b1)@w2+b2, gelu(t) = t/2 * (1 + erf(t/sqrt(2))). L = mean of -log_softmax(z)[row, labels[row]]."""
    return activation_net(rng, lambda t: jax.nn.gelu(t, approximate=False))


@golden
def mlp_gelu_tanh(rng):
    """z = gelu(x@w1+b1)@w2+b2, gelu(t) = t/2 * (1 + tanh(sqrt(2/pi) * (t + 0.044715 t^3))).
    L = mean of -log_softmax(z)[row, labels[row]]."""
    return activation_net(rng, lambda t: jax.nn.gelu(t, approximate=True))


@golden
def mlp_silu(rng):
    """z = silu(x@w1+b1)@w2+b2, silu(t) = t * sigmoid(t). L = mean of -log_softmax(z)[row, labels[row]]."""
    return activation_net(rng, jax.nn.silu)


@golden
def mlp_softplus(rng):
    """z = softplus(x@w1+b1)@w2+b2, softplus(t) = log(1 + exp(t)). L = mean of -log_softmax(z)[row, labels[row]]."""
    return activation_net(rng, jax.nn.softplus)


@golden
def mlp_elu(rng):
    """z = elu(x@w1+b1)@w2+b2, elu(t) = t if t > 0, else exp(t) - 1. L = mean of -log_softmax(z)[row, labels[row]]."""
    return activation_net(rng, jax.nn.elu)


@golden
def logistic_regression(rng):
    """z = x@w + b [8], y in {0,1}. L = mean of (softplus(z) - y*z) + 0.05 * sum(w^2). Outputs: value, and with p = (w, b)
    concatenated: gradient [5], hessian [5,5]."""
    x, y = rng.standard_normal((8, 4)), rng.integers(0, 2, 8).astype(np.float64)
    w, b = rng.standard_normal(4), rng.standard_normal(1)

    def loss(p):
        z = x @ p[:4] + p[4]
        return jnp.mean(jax.nn.softplus(z) - y * z) + 0.05 * jnp.sum(p[:4] ** 2)

    p = jnp.concatenate([w, b])
    return ({"x": x, "y": y, "w": w, "b": b},
            {"value": loss(p), "gradient": jax.grad(loss)(p), "hessian": jax.hessian(loss)(p)})


@golden
def embedding_mlp(rng):
    """h = table[tokens] [4,3,5], averaged over axis 1 -> [4,5]; z = tanh(h@w1+b1)@w2+b2; L = mean of
    -log_softmax(z)[row, labels[row]]. Tokens repeat, so gradients add up in rows of the table."""
    p = {"table": rng.standard_normal((6, 5)), **mlp_parameters(rng, [5, 4, 3])}
    tokens, labels = rng.integers(0, 6, (4, 3)), rng.integers(0, 3, 4)

    def loss(p):
        dense = {key: value for key, value in p.items() if key != "table"}
        return cross_entropy(mlp(dense, p["table"][tokens].mean(1)), labels)

    return derivatives(rng, loss, p, {"tokens": tokens, "labels": labels})


@golden
def unrolled_descent(rng):
    """l(w) = mean of (tanh(x@w) - y)^2 over 6 rows; w0 = w, w_{k+1} = w_k - rate * grad l(w_k) for k = 0,1,2. L = l(w3):
    derivatives in the start w [4] and in the scalar rate go through the three gradients."""
    x, y = rng.standard_normal((6, 4)), rng.standard_normal(6)
    inner = lambda w: jnp.mean((jnp.tanh(x @ w) - y) ** 2)

    def outer(arguments):
        w = arguments["w"]
        for _ in range(3):
            w = w - arguments["rate"] * jax.grad(inner)(w)
        return inner(w)

    return derivatives(rng, outer, {"w": rng.standard_normal(4), "rate": np.float64(0.3)}, {"x": x, "y": y})


@golden
def stopped_target(rng):
    """q(s) = tanh(s@w) [5] with w [3]; target = reward + 0.9 * stop_gradient(q(next)). L = mean of (q(state) - target)^2:
    nothing flows through the target, in the gradient and in the HVP."""
    state, following, reward = rng.standard_normal((5, 3)), rng.standard_normal((5, 3)), rng.standard_normal(5)

    def loss(arguments):
        q = lambda s: jnp.tanh(s @ arguments["w"])
        return jnp.mean((q(state) - reward - 0.9 * jax.lax.stop_gradient(q(following))) ** 2)

    return derivatives(rng, loss, {"w": rng.standard_normal(3)}, {"state": state, "next": following, "reward": reward})
