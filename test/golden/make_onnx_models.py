"""Small models as other systems export them, with what PyTorch computes of them in float64, for src/interop/onnx-model.ts.

Run where `torch`, `onnx` and `onnxscript` are installed:
    python test/golden/make_onnx_models.py [NAME ...]
Writes, into test/golden/onnx/, NAME.onnx and NAME.json: 16 inputs and targets, the outputs, the mean cross-entropy, and of its Hessian with
respect to all parameters (in the order of the module, under the module's names) the trace and the five eigenvalues of largest magnitude. Where the exporter has joined parameters
(batch normalisation folded into convolutions) the Hessian is left out. Names end in the exporter: `tracer` and `dynamo` are PyTorch's
two, `skl2onnx` is written node by node as skl2onnx writes a multilayer perceptron.
"""
import json
import math
import pathlib
import sys

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

FOLDER = pathlib.Path(__file__).parent / "onnx"
EXAMPLES = 16


class Cnn(nn.Module):
    """Convolutions with batch normalisation, maximum pooling, a linear head."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.conv2, self.norm2 = nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6)
        self.head = nn.Linear(6 * 2 * 2, 3)

    def forward(self, x):
        x = F.max_pool2d(torch.tanh(self.norm1(self.conv1(x))), 2)
        return self.head(torch.tanh(self.norm2(self.conv2(x))).flatten(1))


class Residual(nn.Module):
    """One identity and one projected residual block, global average pooling."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in (4, 4, 6, 6))
        self.convs = nn.ModuleList([nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False)])
        self.shortcut = nn.Conv2d(4, 6, 1, stride=2, bias=False)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        x = F.softplus(self.norms[0](self.stem(x)))
        x = x + torch.tanh(self.norms[1](self.convs[0](x)))
        x = torch.tanh(self.norms[2](self.convs[1](x))) + self.norms[3](self.shortcut(x))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Separable(nn.Module):
    """Depthwise and pointwise convolutions, ReLU6, padded average pooling, as MobileNet."""

    def __init__(self):
        super().__init__()
        self.depthwise1, self.pointwise1 = nn.Conv2d(2, 2, 3, padding=1, groups=2), nn.Conv2d(2, 5, 1)
        self.depthwise2, self.pointwise2 = nn.Conv2d(5, 5, 3, padding=2, dilation=2, groups=5), nn.Conv2d(5, 6, 1)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        x = F.relu6(4 * self.pointwise1(self.depthwise1(x)))
        x = F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)
        x = torch.sigmoid(self.pointwise2(self.depthwise2(x)))
        return self.head(x.mean((2, 3)))


class Attention(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))


class Block(nn.Module):
    def __init__(self, width, heads, causal, approximate):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads, causal)
        self.norm2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.approximate = approximate

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate=self.approximate))


class Vit(nn.Module):
    """Patches by a convolution, a class token, one block (Dosovitskiy et al. 2021)."""

    def __init__(self, width=8):
        super().__init__()
        self.patches = nn.Conv2d(1, width, 4, stride=4)
        self.token = nn.Parameter(0.5 * torch.randn(1, 1, width))
        self.positions = nn.Parameter(0.5 * torch.randn(1, 5, width))
        self.block = Block(width, 2, False, "none")
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 3)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.block(x))[:, 0])


class Gpt(nn.Module):
    """A causal block with tied embeddings that predicts the token after the last."""

    def __init__(self, vocabulary=7, context=6, width=8):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.block, self.norm = Block(width, 2, True, "tanh"), nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, x):
        x = self.tokens(x) + self.positions(torch.arange(x.shape[1]))
        return self.head(self.norm(self.block(x)))[:, -1]


class Lstm(nn.Module):
    """An LSTM whose last hidden state is classified (Hochreiter & Schmidhuber 1997)."""

    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(3, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def mlp():
    return nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 3))


def tracer(model, x, path):
    torch.onnx.export(model, (x[:2],), path, dynamo=False, opset_version=17, input_names=["input"], output_names=["output"],
                      dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, do_constant_folding=False)


def dynamo(model, x, path):
    torch.onnx.export(model, (x[:2],), path, dynamo=True, input_names=["input"], output_names=["output"],
                      dynamic_shapes=({0: torch.export.Dim("batch")},), external_data=False, verbose=False)


def skl2onnx(model, x, path):
    """MLPClassifier(activation='relu') as skl2onnx writes it: labels first, probabilities second."""
    arrays = {"coefficient": model[0].weight.T, "intercepts": model[0].bias[None], "coefficient1": model[2].weight.T, "intercepts1": model[2].bias[None]}
    initialisers = [numpy_helper.from_array(value.detach().numpy().copy(), name) for name, value in arrays.items()]
    initialisers.append(helper.make_tensor("classes", TensorProto.INT64, [3], [0, 1, 2]))
    nodes = [
        helper.make_node("Cast", ["X"], ["cast_input"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["cast_input", "coefficient"], ["mul_result"]),
        helper.make_node("Add", ["mul_result", "intercepts"], ["add_result"]),
        helper.make_node("Relu", ["add_result"], ["next_activations"]),
        helper.make_node("MatMul", ["next_activations", "coefficient1"], ["mul_result1"]),
        helper.make_node("Add", ["mul_result1", "intercepts1"], ["add_result1"]),
        helper.make_node("Softmax", ["add_result1"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["argmax_output"], axis=1, keepdims=0),
        helper.make_node("ArrayFeatureExtractor", ["classes", "argmax_output"], ["extracted"], domain="ai.onnx.ml"),
        helper.make_node("Reshape", ["extracted", "flat"], ["label"]),
    ]
    initialisers.append(helper.make_tensor("flat", TensorProto.INT64, [1], [-1]))
    graph = helper.make_graph(nodes, "mlp", [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 6])],
                              [helper.make_tensor_value_info("label", TensorProto.INT64, [None]), helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 3])], initialisers)
    onnx.save(helper.make_model(graph, producer_name="skl2onnx", opset_imports=[helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 1)], ir_version=8), path)


IMAGE1, IMAGE2 = (1, 8, 8), (2, 8, 8)
# Name: the module, the shape of an example (None: tokens), the exporter, whether parameters come through as they are.
MODELS = {
    "mlp-tracer": (mlp, (6,), tracer, True),
    "mlp-dynamo": (mlp, (6,), dynamo, True),
    "mlp-skl2onnx": (lambda: nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3)), (6,), skl2onnx, True),
    "cnn-tracer": (Cnn, IMAGE1, tracer, True),
    "cnn-dynamo": (Cnn, IMAGE1, dynamo, False),
    "residual-tracer": (Residual, IMAGE2, tracer, True),
    "residual-dynamo": (Residual, IMAGE2, dynamo, False),
    "separable-tracer": (Separable, IMAGE2, tracer, True),
    "separable-dynamo": (Separable, IMAGE2, dynamo, True),
    "vit-tracer": (Vit, IMAGE1, tracer, True),
    "vit-dynamo": (Vit, IMAGE1, dynamo, True),
    "gpt-tracer": (Gpt, None, tracer, True),
    "gpt-dynamo": (Gpt, None, dynamo, True),
    "lstm-tracer": (Lstm, (4, 3), tracer, True),
    "lstm-dynamo": (Lstm, (4, 3), dynamo, True),
}


def settled(model, x):
    """Running statistics away from their first values, then eval mode."""
    model.train()
    with torch.no_grad():
        for factor in (1.0, 1.5, 0.7):
            if x.is_floating_point():
                model(factor * x)
        for parameter in model.parameters():
            # Zeros and ones of fresh biases and scales would be joined by the exporter.
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def hessian(model, x, targets):
    """The dense Hessian of the mean cross-entropy by a second backward pass for each row, many rows at once."""
    parameters = list(model.parameters())
    with sdpa_kernel(SDPBackend.MATH):
        loss = F.cross_entropy(model(x), targets)
        gradient = torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters, create_graph=True)])
        rows = []
        for block in torch.eye(len(gradient)).split(128):
            second = torch.autograd.grad(gradient, parameters, block.to(gradient), retain_graph=True, allow_unused=True, materialize_grads=True, is_grads_batched=True)
            rows.append(torch.cat([s.flatten(1) for s in second], 1))
    return torch.cat(rows)


def entry(x):
    return {"shape": list(x.shape), "data": x.flatten().tolist()}


def make(name):
    build, shape, export, whole = MODELS[name]
    torch.manual_seed(sum(map(ord, name.split("-")[0])))
    model = build()
    x = torch.randint(0, 7, (EXAMPLES, 6)) if shape is None else torch.round(torch.randn(EXAMPLES, *shape), decimals=2)
    model = settled(model, x)
    targets = torch.randint(0, 7 if shape is None else 3, (EXAMPLES,))
    export(model, x, str(FOLDER / f"{name}.onnx"))
    model = model.double()
    exact = x.double() if x.is_floating_point() else x
    outputs = model(exact)
    record = {"inputs": entry(x), "targets": entry(targets), "outputs": entry(outputs), "loss": F.cross_entropy(outputs, targets).item()}
    if whole:
        matrix = hessian(model, exact, targets)
        eigenvalues = torch.linalg.eigvalsh((matrix + matrix.T) / 2)
        top = eigenvalues[eigenvalues.abs().argsort(descending=True)][:5]
        record |= {"parameters": {key: list(p.shape) for key, p in model.named_parameters()}, "trace": matrix.trace().item(), "eigenvalues": top.tolist()}
    # Inputs are rounded to two decimals; 1e-9 is far below what is compared.
    rounded = json.loads(json.dumps(record), parse_float=lambda text: float(f"{float(text):.12g}"))
    (FOLDER / f"{name}.json").write_text(json.dumps(rounded, separators=(",", ":")) + "\n")
    size = sum(math.prod(p.shape) for p in model.parameters())
    print(name, size, "parameters,", sorted({node.op_type for node in onnx.load(FOLDER / f"{name}.onnx").graph.node}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for chosen in sys.argv[1:] or MODELS:
        make(chosen)
