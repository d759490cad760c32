"""Trains a small residual network on digits that it draws itself, and exports it for the commands of your-model.md.

    python your-model-export.py [--width 4] [--examples 600] [--epochs 9] [--dynamo] [--out .]

Needs torch, onnx and numpy (and onnxscript with --dynamo). Writes model.onnx, train.npz, epoch-1.safetensors and epoch-9.safetensors.
"""
import argparse
import json
import pathlib
import struct

import numpy
import torch
from torch import nn

FONT = """
.###. ..#.. .###. .###. ...#. ##### .###. ##### .###. .###.
#...# .##.. #...# #...# ..##. #.... #.... ....# #...# #...#
#..## ..#.. ....# ....# .#.#. ####. #.... ...#. #...# #...#
#.#.# ..#.. ...#. ..##. #..#. ....# ####. ..#.. .###. .####
##..# ..#.. ..#.. ....# ##### ....# #...# ..#.. #...# ....#
#...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ....#
.###. .###. ##### .###. ...#. .###. .###. .#... .###. .###.
"""
GLYPHS = numpy.array([[[mark == "#" for mark in digit.split()[which]] for digit in FONT.strip().splitlines()] for which in range(10)], dtype=numpy.float32)
SIZE = 10


def draw(count, random):
    """Digits of 5 x 7 pixels somewhere on a noisy ground: images [count, 1, 10, 10], labels [count]."""
    labels = random.integers(0, 10, count)
    images = random.normal(0, 0.2, (count, 1, SIZE, SIZE))
    for image, label in zip(images, labels):
        top, left = random.integers(0, SIZE - 7 + 1), random.integers(0, SIZE - 5 + 1)
        image[0, top:top + 7, left:left + 5] += random.uniform(0.6, 1.2) * GLYPHS[label]
    return images.astype(numpy.float32), labels


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        self.conv2, self.norm2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)

    def forward(self, x):
        return torch.relu(x + self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x))))))


class Network(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(), Block(width),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(), Block(2 * width),
        )
        self.classifier = nn.Linear(2 * width, 10)

    def forward(self, x):
        return self.classifier(self.features(x).amax((2, 3)))


def save_safetensors(path, arrays):
    """What safetensors.torch.save_file(model.state_dict(), path) writes, without the package."""
    arrays = {name: value.detach().numpy().astype(numpy.float32) for name, value in arrays.items() if value.is_floating_point()}
    header, end = {}, 0
    for name, value in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [end, end + value.nbytes]}
        end += value.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in arrays.values():
            file.write(value.tobytes())


def train(model, images, labels, epochs, out):
    """Adam; leaves the parameters after the first and the last epoch."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(1, epochs + 1):
        for batch in torch.randperm(len(images)).split(20):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
            loss.backward()
            optimizer.step()
        schedule.step()
        print(f"epoch {epoch}: loss of the last batch {loss.item():.3f}")
        if epoch in (1, epochs):
            save_safetensors(out / f"epoch-{epoch}.safetensors", model.state_dict())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--width", type=int, default=4, help="channels of the first stage")
    parser.add_argument("--examples", type=int, default=600, help="training images; a quarter as many are test images")
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--dynamo", action="store_true", help="PyTorch's newer exporter")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.set_num_threads(1)  # convolutions this small are no work for several threads
    random = numpy.random.default_rng(0)
    (images, labels), (test_images, test_labels) = draw(options.examples, random), draw(options.examples // 4, random)
    model = Network(options.width)
    train(model, torch.from_numpy(images), torch.from_numpy(labels), options.epochs, options.out)

    model.eval()
    example = torch.from_numpy(images[:2])
    if options.dynamo:
        torch.onnx.export(model, (example,), options.out / "model.onnx", dynamo=True, optimize=False, external_data=False, input_names=["input"], output_names=["output"],
                          dynamic_shapes=({0: torch.export.Dim("batch")},))
    else:
        torch.onnx.export(model, (example,), options.out / "model.onnx", dynamo=False, opset_version=17, do_constant_folding=False, keep_initializers_as_inputs=False,
                          input_names=["input"], output_names=["output"], dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, training=torch.onnx.TrainingMode.PRESERVE)
    numpy.savez(options.out / "train.npz", x=images, y=labels, x_test=test_images, y_test=test_labels)
    with torch.no_grad():
        accuracy = (model(torch.from_numpy(test_images)).argmax(1).numpy() == test_labels).mean()
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, test accuracy {100 * accuracy:.1f} %")


if __name__ == "__main__":
    main()
