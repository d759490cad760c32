/** The benchmark's models written once more, line by line as `bench/peers/models.py` has them, over dotted parameter paths. */
import type { Tensor } from '../core/tensor.ts';
import {
  add, arange, averagePool, conv, div, exp, expandDims, greater, matmul, mean, mul, narrow, pad, relu, reshape, slice, sqrt, square, sub, sum, take, tanh, transpose, where,
} from '../ops/index.ts';
import { leavesWithPaths } from '../tree/tree.ts';

export type Flat = Readonly<Record<string, Tensor>>;
export const byPath = (tree: unknown): Flat => Object.fromEntries(leavesWithPaths(tree)) as Flat;

const dense = (p: Flat, name: string, x: Tensor): Tensor => add(matmul(x, p[`${name}.weight`]), p[`${name}.bias`]);
const channels = (v: Tensor): Tensor => reshape(v, [1, v.shape[0], 1, 1]);
const same = (x: Tensor, kernel: Tensor, stride: number, padding: number): Tensor => conv(x, kernel, { strides: stride, padding: [[padding, padding], [padding, padding]] });

export function mlp(p: Flat, x: Tensor): Tensor {
  const count = Object.keys(p).filter((name) => name.endsWith('.weight')).length;
  for (let i = 0; i < count; i++) {
    x = dense(p, `layers.${i}`, x);
    if (i + 1 < count) x = tanh(x);
  }
  return x;
}

export function lenet(p: Flat, x: Tensor): Tensor {
  x = add(same(x, p['conv1.weight'], 1, 2), channels(p['conv1.bias']));
  x = averagePool(relu(x), 2);
  x = add(same(x, p['conv2.weight'], 1, 0), channels(p['conv2.bias']));
  x = averagePool(relu(x), 2);
  x = reshape(x, [x.shape[0], -1]);
  x = relu(dense(p, 'dense1', x));
  x = relu(dense(p, 'dense2', x));
  return dense(p, 'dense3', x);
}

export function resnet20(p: Flat, constants: Flat, x: Tensor): Tensor {
  const norm = (name: string, y: Tensor): Tensor =>
    add(mul(div(sub(y, channels(constants[`${name}.mean`])), sqrt(add(channels(constants[`${name}.variance`]), 1e-5))), channels(p[`${name}.scale`])), channels(p[`${name}.bias`]));
  x = relu(norm('stem.norm', same(x, p['stem.conv.weight'], 1, 1)));
  for (const stage of [0, 1, 2]) {
    for (const block of [0, 1, 2]) {
      const name = `stages.${stage}.${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      let y = relu(norm(`${name}.norm1`, same(x, p[`${name}.conv1.weight`], stride, 1)));
      y = norm(`${name}.norm2`, same(y, p[`${name}.conv2.weight`], 1, 1));
      if (stride === 2) {
        const half = (y.shape[1] - x.shape[1]) / 2;
        x = pad(slice(x, [0, 0, 0, 0], x.shape, [1, 1, 2, 2]), [0, half, 0, 0], [0, half, 0, 0]);
      }
      x = relu(add(y, x));
    }
  }
  return dense(p, 'head', mean(x, [2, 3]));
}

export function transformer(p: Flat, x: Tensor, heads: number): Tensor {
  const [batch, context] = x.shape;
  const norm = (name: string, h: Tensor): Tensor => {
    const centered = sub(h, mean(h, -1, { keepDims: true }));
    return add(mul(div(centered, sqrt(add(mean(square(centered), -1, { keepDims: true }), 1e-5))), p[`${name}.scale`]), p[`${name}.bias`]);
  };
  const splitHeads = (h: Tensor): Tensor => transpose(reshape(h, [batch, context, heads, -1]), [0, 2, 1, 3]);
  const gelu = (h: Tensor): Tensor => mul(mul(h, 0.5), add(1, tanh(mul(Math.sqrt(2 / Math.PI), add(h, mul(0.044715, mul(h, mul(h, h))))))));
  let h = add(take(p['embed.token'], x), narrow(p['embed.position'], 0, 0, context));
  const width = h.shape[2];
  const layers = 1 + Math.max(...Object.keys(p).filter((name) => name.startsWith('blocks.')).map((name) => Number(name.split('.')[1])));
  const hidden = greater(expandDims(arange(context), 0), expandDims(arange(context), 1));
  for (let layer = 0; layer < layers; layer++) {
    const name = `blocks.${layer}`;
    const qkv = dense(p, `${name}.attention.qkv`, norm(`${name}.norm1`, h));
    const [q, k, v] = [0, 1, 2].map((i) => splitHeads(narrow(qkv, 2, i * width, (i + 1) * width)));
    const scores = exp(where(hidden, -Infinity, div(matmul(q, transpose(k, [0, 1, 3, 2])), Math.sqrt(width / heads))));
    const attended = matmul(div(scores, sum(scores, -1, { keepDims: true })), v);
    h = add(h, dense(p, `${name}.attention.out`, reshape(transpose(attended, [0, 2, 1, 3]), [batch, context, width])));
    h = add(h, dense(p, `${name}.mlp.1`, gelu(dense(p, `${name}.mlp.0`, norm(`${name}.norm2`, h)))));
  }
  return matmul(norm('norm', h), p['head.weight']);
}
