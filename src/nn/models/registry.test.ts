import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { leavesWithPaths } from '../../tree/tree.ts';
import { NDArray } from '../../core/ndarray.ts';
import { ArgumentError } from '../../util/errors.ts';
import { key } from '../../util/random/index.ts';
import { models, parseModel, type DataShape } from './registry.ts';

const mnist: DataShape = { inputShape: [1, 28, 28], classes: 10 };
const iris: DataShape = { inputShape: [4], classes: 3 };
const modular: DataShape = { inputShape: [4], classes: 97, vocabulary: 99 };
const shapes = (text: string, data: DataShape): Record<string, readonly number[]> =>
  Object.fromEntries(leavesWithPaths(parseModel(text, data).init(key(0)).params).map(([path, leaf]) => [path, (leaf as NDArray).shape]));
const message = (text: string, data: DataShape = mnist): string => {
  try {
    parseModel(text, data);
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    return (error as Error).message;
  }
  return 'no error';
};

describe('parseModel', () => {
  test('every model by its name alone, fitted to the data', () => {
    expect(shapes('mlp', mnist)['layers.2.weight']).toEqual([64, 10]);
    expect(shapes('mlp', iris)['layers.0.weight']).toEqual([4, 128]);
    expect(shapes('cnn', mnist)['dense1.weight']).toEqual([400, 120]);
    expect(shapes('resnet', mnist)['stages.2.2.conv2.weight']).toEqual([64, 64, 3, 3]);
    expect(shapes('transformer', modular)).toMatchObject({ 'embed.token': [99, 128], 'embed.position': [4, 128], 'head.weight': [128, 97] });
  });
  test('options', () => {
    expect(shapes('mlp:784-32-10,activation=relu', mnist)).toEqual({ 'layers.0.weight': [784, 32], 'layers.0.bias': [32], 'layers.1.weight': [32, 10], 'layers.1.bias': [10] });
    expect(shapes('mlp:784-10', mnist)).toEqual({ 'layers.0.weight': [784, 10], 'layers.0.bias': [10] });
    expect(shapes('mlp:hidden=5', iris)['layers.0.weight']).toEqual([4, 5]);
    expect(shapes('cnn:3-4,hidden=7-8', mnist)).toMatchObject({ 'conv2.weight': [4, 3, 5, 5], 'dense2.weight': [7, 8] });
    expect(shapes('resnet:8,width=4', mnist)).toMatchObject({ 'head.weight': [16, 10] });
    expect(shapes('transformer:width=8,depth=1,heads=2,hidden=5', modular)).toMatchObject({ 'blocks.0.mlp.0.weight': [8, 5] });
    expect(parseModel('mlp:4-2-3,activation=relu', iris).name).toBe('mlp 4-2-3 relu');
    const ntk = parseModel('mlp:hidden=50,parametrization=ntk,weightScale=1.4,biasScale=0', mnist).init(key(0)).params as { layers: { weight: NDArray }[] };
    expect(Math.max(...ntk.layers[1].weight.data)).toBeGreaterThan(2);
    const zero = parseModel('mlp:initializer=zeros', iris).init(key(0)).params as { layers: { weight: NDArray }[] };
    expect(zero.layers[0].weight.data.every((v) => v === 0)).toBe(true);
  });
  test('answers are read after the last token, unless asked for after every one', () => {
    expect(modelOutputs('transformer')).toEqual([2, 97]);
    expect(modelOutputs('transformer:readout=every')).toEqual([2, 4, 97]);
  });
  test('messages', () => {
    expect(message('vgg:16')).toMatchInlineSnapshot(`
      "parseModel: the model must start with one of mlp, mup-mlp, cnn, resnet, transformer, got 'vgg:16'.
        Try: mlp:784-128-64-10,activation=tanh"
    `);
    expect(message('mlp:784-10-5')).toMatchInlineSnapshot(`
      "model mlp: sizes must start with the data's 784 features and end with its 10 outputs, got 784-10-5.
        Try: mlp:784-10-10, or mlp:hidden=10"
    `);
    expect(message('mlp:784-0-10')).toMatchInlineSnapshot(`"model mlp: sizes must be positive integers joined by dashes, as 128-64, got '784-0-10'."`);
    expect(message('mlp:hidden=64,width=3')).toMatchInlineSnapshot(`"model mlp: options must be key=value with a key of sizes, hidden, activation, parametrization, initializer, weightScale, biasScale, got 'width=3'."`);
    expect(message('mlp:hidden=64,tanh')).toMatchInlineSnapshot(`"model mlp: options must be key=value with a key of sizes, hidden, activation, parametrization, initializer, weightScale, biasScale, got 'tanh'."`);
    expect(message('mlp:activation=swoosh')).toMatchInlineSnapshot(`"model mlp: activation must be one of identity, relu, leaky-relu, elu, gelu, gelu-tanh, silu, softplus, tanh, sigmoid, erf, sin, square, got 'swoosh'."`);
    expect(message('mlp:784-10,sizes=784-10')).toMatchInlineSnapshot(`"model mlp: sizes may be given once, got '784-10,sizes=784-10'."`);
    expect(message('mlp:784-10,hidden=3')).toMatchInlineSnapshot(`
      "model mlp: sizes and hidden exclude each other, got 784-10.
        Try: mlp:784-3-10, or mlp:hidden=3"
    `);
    expect(message('resnet:18')).toMatchInlineSnapshot(`
      "resnet: depth must be 6 n + 2 for a number n of blocks in a stage, got 18.
        Try: 8, 14, 20, 32, 44, 56 or 110"
    `);
    expect(message('cnn', iris)).toMatchInlineSnapshot(`
      "model cnn: the data must be images [channels, height, width], got examples of shape [4].
        Try: mlp"
    `);
    expect(message('mlp', modular)).toMatchInlineSnapshot(`
      "model mlp: the data must be numbers, got tokens of a vocabulary of 99.
        Try: transformer"
    `);
    expect(message('transformer')).toMatchInlineSnapshot(`
      "model transformer: the data must be sequences of tokens, got examples of shape [1,28,28] without a vocabulary.
        Try: mlp"
    `);
    expect(message('cnn', { inputShape: [1, 8, 8], classes: 2 })).toMatch(/at least 12 x 12/);
    expect(message('cnn:6')).toMatchInlineSnapshot(`"model cnn: channels must be two positive integers joined by a dash, as 6-16, got '6'."`);
    expect(message('transformer:width=10,heads=3', modular)).toMatchInlineSnapshot(`"multiHeadAttention: heads must divide width, got 3 heads, width 10."`);
    expect(message('mlp:initializer=pytorch,parametrization=ntk')).toMatchInlineSnapshot(`
      "dense: initializer belongs to the other parametrisation, got initializer with 'ntk'.
        Try: weightScale and biasScale, or parametrization: 'standard'"
    `);
  });
});

const modelOutputs = (text: string): readonly number[] => (parseModel(text, modular) as unknown as { outputShape(shape: number[]): number[] }).outputShape([2, 4]);

test('every file of a model is registered, and its example parses', () => {
  const files = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith('.ts') && !/test|registry|options/.test(file)).map((file) => file.slice(0, -3));
  expect(Object.keys(models).sort()).toEqual(files.sort());
  for (const { example } of Object.values(models)) expect(parseModel(example, example.startsWith('transformer') ? modular : mnist).name).not.toBe('');
});
