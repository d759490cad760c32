"""Outputs of PyTorch for src/interop/torch-names.test.ts: the networks of cases.ts as modules, with the weights of make_weights.ts.

Run where `torch` is installed, after make_weights.ts:
    python test/golden/torch/make_torch_outputs.py
Reads NAME.safetensors by load_state_dict(strict=True), writes NAME.json: inputs and outputs in eval mode, in float64.
"""
import json
import pathlib
import struct

import torch
from torch import nn
from torch.nn import functional as F

FOLDER = pathlib.Path(__file__).parent


def load(name):
    """The file as a state_dict; what safetensors.torch.load_file does."""
    data = (FOLDER / f"{name}.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__")
    start = 8 + length
    return {key: torch.frombuffer(bytearray(data[start + a:start + b]), dtype=torch.float32).reshape(entry["shape"])
            for key, entry in header.items() for a, b in [entry["data_offsets"]]}


class Stem(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x)))


class ResidualBlock(nn.Module):
    """He et al. (2015), shortcuts without parameters (option A)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.norm2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.stride, self.added = stride, outputs - inputs

    def forward(self, x):
        y = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        before = self.added // 2
        shortcut = F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, before, self.added - before))
        return torch.relu(y + shortcut)


class ResNet(nn.Module):
    def __init__(self, width=2, classes=3):
        super().__init__()
        self.stem = Stem(width)
        self.stages = nn.Sequential(*(nn.Sequential(ResidualBlock(a, b, s)) for a, b, s in [(width, width, 1), (width, 2 * width, 2), (2 * width, 4 * width, 2)]))
        self.head = nn.Linear(4 * width, classes)

    def forward(self, x):
        return self.head(self.stages(self.stem(x)).mean((2, 3)))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.qkv, self.out, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = (part.reshape(batch, tokens, self.heads, -1).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        return self.out(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(x.shape))


class Block(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp = nn.ModuleList([nn.Linear(width, hidden), nn.Linear(hidden, width)])

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp[1](F.gelu(self.mlp[0](self.norm2(x)), approximate="tanh"))


class Transformer(nn.Module):
    def __init__(self, vocabulary=8, context=4, width=8, heads=2, hidden=8):
        super().__init__()
        self.embed = nn.ParameterDict({"token": nn.Parameter(torch.empty(vocabulary, width)), "position": nn.Parameter(torch.empty(context, width))})
        self.blocks = nn.Sequential(Block(width, heads, hidden))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        x = self.embed["token"][tokens] + self.embed["position"][:tokens.shape[1]]
        return self.head(self.norm(self.blocks(x)))


def main():
    torch.manual_seed(0)
    cases = {"resnet": (ResNet(), torch.rand(3, 1, 8, 8).double()), "transformer": (Transformer(), torch.randint(8, (3, 4)))}
    for name, (model, inputs) in cases.items():
        print(name, model.load_state_dict(load(name), strict=True))
        with torch.no_grad():
            outputs = model.eval().double()(inputs)
        entry = lambda x: {"shape": list(x.shape), "data": [float(f"{value:.9g}") for value in x.flatten().tolist()]}
        (FOLDER / f"{name}.json").write_text(json.dumps({"inputs": entry(inputs), "outputs": entry(outputs)}) + "\n")


main()
