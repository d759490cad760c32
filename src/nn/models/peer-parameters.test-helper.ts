/** Names and shapes of the weights that the benchmark exchanges with its peers (`bench/peers/README.md`), in the models' order. */
type Entry = [name: string, shape: readonly number[]];

const dense = (name: string, inputs: number, outputs: number): Entry[] => [[`${name}.weight`, [inputs, outputs]], [`${name}.bias`, [outputs]]];
const norm = (name: string, width: number): Entry[] => [[`${name}.scale`, [width]], [`${name}.bias`, [width]]];
const statistics = (name: string, width: number): Entry[] => [[`${name}.mean`, [width]], [`${name}.variance`, [width]]];

const residualBlocks: readonly [name: string, inputs: number, outputs: number][] = [
  ['stages.0.0', 16, 16], ['stages.0.1', 16, 16], ['stages.0.2', 16, 16],
  ['stages.1.0', 16, 32], ['stages.1.1', 32, 32], ['stages.1.2', 32, 32],
  ['stages.2.0', 32, 64], ['stages.2.1', 64, 64], ['stages.2.2', 64, 64],
];

export const peerParameters: Readonly<Record<'mlp' | 'lenet' | 'resnet20' | 'transformer', { parameters: Entry[]; constants: Entry[] }>> = {
  mlp: {
    parameters: [
      ['layers.0.weight', [784, 256]], ['layers.0.bias', [256]],
      ['layers.1.weight', [256, 256]], ['layers.1.bias', [256]],
      ['layers.2.weight', [256, 10]], ['layers.2.bias', [10]],
    ],
    constants: [],
  },
  lenet: {
    parameters: [
      ['conv1.weight', [6, 1, 5, 5]], ['conv1.bias', [6]],
      ['conv2.weight', [16, 6, 5, 5]], ['conv2.bias', [16]],
      ...dense('dense1', 400, 120), ...dense('dense2', 120, 84), ...dense('dense3', 84, 10),
    ],
    constants: [],
  },
  resnet20: {
    parameters: [
      ['stem.conv.weight', [16, 1, 3, 3]], ...norm('stem.norm', 16),
      ...residualBlocks.flatMap(([name, inputs, outputs]): Entry[] => [
        [`${name}.conv1.weight`, [outputs, inputs, 3, 3]], ...norm(`${name}.norm1`, outputs),
        [`${name}.conv2.weight`, [outputs, outputs, 3, 3]], ...norm(`${name}.norm2`, outputs),
      ]),
      ...dense('head', 64, 10),
    ],
    constants: [
      ...statistics('stem.norm', 16),
      ...residualBlocks.flatMap(([name, , outputs]) => [...statistics(`${name}.norm1`, outputs), ...statistics(`${name}.norm2`, outputs)]),
    ],
  },
  transformer: {
    parameters: [
      ['embed.token', [64, 128]], ['embed.position', [64, 128]],
      ...[0, 1].flatMap((block) => [
        ...norm(`blocks.${block}.norm1`, 128), ...dense(`blocks.${block}.attention.qkv`, 128, 384), ...dense(`blocks.${block}.attention.out`, 128, 128),
        ...norm(`blocks.${block}.norm2`, 128), ...dense(`blocks.${block}.mlp.0`, 128, 512), ...dense(`blocks.${block}.mlp.1`, 512, 128),
      ]),
      ...norm('norm', 128), ['head.weight', [128, 64]],
    ],
    constants: [],
  },
};
