"""The benchmarked models, written once over a small set of operations.

`ops` is `torch_ops` or `jax_ops`: the same names, each done in its library's idiomatic way. `p` maps dotted parameter
paths to arrays, `constants` maps names of untrained arrays (running statistics) to arrays. Dense weights are stored
`[in, out]`, convolution kernels `[out, in, height, width]`, images `[batch, channel, height, width]`.
"""


def dense(ops, p, name, x):
    return ops.dense(x, p[f"{name}.weight"], p[f"{name}.bias"])


def mlp(ops, p, constants, x, config):
    """Dense layers with tanh between them."""
    count = sum(name.endswith(".weight") for name in p)
    for i in range(count):
        x = dense(ops, p, f"layers.{i}", x)
        if i + 1 < count:
            x = ops.tanh(x)
    return x


def lenet(ops, p, constants, x, config):
    """conv 5x5 pad 2, pool, conv 5x5, pool, three dense layers; relu between, average pooling 2x2."""
    x = ops.conv2d(x, p["conv1.weight"], stride=1, padding=2) + p["conv1.bias"].reshape(1, -1, 1, 1)
    x = ops.average_pool_2x2(ops.relu(x))
    x = ops.conv2d(x, p["conv2.weight"], stride=1, padding=0) + p["conv2.bias"].reshape(1, -1, 1, 1)
    x = ops.average_pool_2x2(ops.relu(x))
    x = x.reshape(x.shape[0], -1)
    x = ops.relu(dense(ops, p, "dense1", x))
    x = ops.relu(dense(ops, p, "dense2", x))
    return dense(ops, p, "dense3", x)


def resnet20(ops, p, constants, x, config):
    """CIFAR-style residual network, batch norm in evaluation mode, shortcuts without parameters (option A)."""

    def norm(name, x):
        return ops.batch_norm(x, constants[f"{name}.mean"], constants[f"{name}.variance"],
                              p[f"{name}.scale"], p[f"{name}.bias"], epsilon=1e-5)

    x = ops.relu(norm("stem.norm", ops.conv2d(x, p["stem.conv.weight"], stride=1, padding=1)))
    for stage in range(3):
        for block in range(3):
            name = f"stages.{stage}.{block}"
            stride = 2 if stage > 0 and block == 0 else 1
            y = ops.conv2d(x, p[f"{name}.conv1.weight"], stride=stride, padding=1)
            y = ops.relu(norm(f"{name}.norm1", y))
            y = norm(f"{name}.norm2", ops.conv2d(y, p[f"{name}.conv2.weight"], stride=1, padding=1))
            if stride == 2:
                x = ops.pad_channels(x[:, :, ::2, ::2], (y.shape[1] - x.shape[1]) // 2)
            x = ops.relu(y + x)
    return dense(ops, p, "head", ops.mean(x, (2, 3)))


def transformer(ops, p, constants, x, config):
    """Small GPT: learned positions, pre-layer-norm blocks, causal attention, tanh-approximated gelu, untied head."""
    heads = config.get("heads", 4)
    batch, context = x.shape

    def norm(name, h):
        return ops.layer_norm(h, p[f"{name}.scale"], p[f"{name}.bias"], epsilon=1e-5)

    def split_heads(h):
        return h.reshape(batch, context, heads, -1).swapaxes(1, 2)

    h = ops.embedding(p["embed.token"], x) + p["embed.position"][:context]
    width = h.shape[-1]
    layers = 1 + max(int(name.split(".")[1]) for name in p if name.startswith("blocks."))
    for layer in range(layers):
        name = f"blocks.{layer}"
        qkv = dense(ops, p, f"{name}.attention.qkv", norm(f"{name}.norm1", h))
        q, k, v = (split_heads(qkv[..., i * width:(i + 1) * width]) for i in range(3))
        attended = ops.causal_attention(q, k, v).swapaxes(1, 2).reshape(batch, context, width)
        h = h + dense(ops, p, f"{name}.attention.out", attended)
        hidden = ops.gelu(dense(ops, p, f"{name}.mlp.0", norm(f"{name}.norm2", h)))
        h = h + dense(ops, p, f"{name}.mlp.1", hidden)
    return norm("norm", h) @ p["head.weight"]


MODELS = {"mlp": mlp, "lenet": lenet, "resnet20": resnet20, "transformer": transformer}


def loss(ops, model, p, constants, x, labels, config):
    """Mean softmax cross-entropy with integer labels, over every leading axis of the logits."""
    logits = MODELS[model](ops, p, constants, x, config)
    return ops.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))
