"""Two models of ten million parameters as PyTorch exports them, and 1,000 examples like MNIST: what the memory of a survey is measured on.

    python bench/peers/large_models.py FOLDER
    /usr/bin/time -v npx thalweg survey FOLDER/mlp.onnx --data FOLDER/data.npz --samples 1000

Writes mlp.onnx (784-3000-2500-10), cnn.onnx (a ResNet-18 of 60 channels) and data.npz.
"""
import pathlib
import sys

import numpy
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.norm2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return torch.relu(self.shortcut(x) + self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x))))))


def resnet(width):
    layers, inputs = [nn.Conv2d(1, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()], width
    for stage, stride in enumerate([1, 2, 2, 2]):
        outputs = width * 2 ** stage
        layers += [Block(inputs, outputs, stride), Block(outputs, outputs, 1)]
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    random = numpy.random.default_rng(0)
    labels = random.integers(0, 10, 1200)
    strokes = random.random((10, 784)) < 0.2
    images = (strokes[labels] * random.uniform(0.4, 1, (1200, 784)) + 0.1 * random.random((1200, 784))) * (random.random((1200, 784)) < 0.7)
    images = images.astype(numpy.float32)
    numpy.savez(folder / "data.npz", x=images[:1000], y=labels[:1000], x_test=images[1000:], y_test=labels[1000:])
    rows, targets = torch.from_numpy(images), torch.from_numpy(labels)
    mlp = nn.Sequential(nn.Linear(784, 3000), nn.ReLU(), nn.Linear(3000, 2500), nn.ReLU(), nn.Linear(2500, 10))
    for name, model, data, steps, batch in [("mlp", mlp, rows, 12, 64), ("cnn", resnet(60), rows.reshape(-1, 1, 28, 28), 3, 8)]:
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
        for _ in range(steps):
            chosen = torch.randint(0, 1000, (batch,))
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(data[chosen]), targets[chosen]).backward()
            optimizer.step()
        model.eval()
        torch.onnx.export(model, (data[:2],), folder / f"{name}.onnx", dynamo=False, opset_version=17, do_constant_folding=False, keep_initializers_as_inputs=False,
                          input_names=["input"], output_names=["output"], dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, training=torch.onnx.TrainingMode.PRESERVE)
        print(name, sum(p.numel() for p in model.parameters()), "parameters")


if __name__ == "__main__":
    main()
