"""The operations of `models.py` in PyTorch."""
import math

import torch
import torch.nn.functional as F

tanh, relu, mean = torch.tanh, torch.relu, torch.mean


def dense(x, weight, bias):
    return F.linear(x, weight.t(), bias)


def conv2d(x, weight, stride, padding):
    return F.conv2d(x, weight, stride=stride, padding=padding)


def average_pool_2x2(x):
    return F.avg_pool2d(x, 2)


def pad_channels(x, count):
    return F.pad(x, (0, 0, 0, 0, count, count))


def batch_norm(x, mean, variance, scale, bias, epsilon):
    return F.batch_norm(x, mean, variance, scale, bias, training=False, eps=epsilon)


def layer_norm(x, scale, bias, epsilon):
    return F.layer_norm(x, scale.shape, scale, bias, epsilon)


def gelu(x):
    return F.gelu(x, approximate="tanh")


def embedding(table, indices):
    return F.embedding(indices, table)


def causal_attention(q, k, v):
    # Written out: the fused kernels of scaled_dot_product_attention have no second derivative.
    context = q.shape[-2]
    hidden = torch.ones(context, context, dtype=torch.bool).triu(1)
    scores = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(hidden, -math.inf)
    return scores.softmax(-1) @ v


def cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels)
