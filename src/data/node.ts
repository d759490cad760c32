/** All datasets, those that read files included. Node only. @module */
import type { Dataset } from './dataset.ts';
import { mnist } from './mnist.node.ts';
import type { MnistNodeOptions } from './mnist.node.ts';
import { flag } from '../util/options.ts';
import { datasetLoader, datasetParser, datasets as portable } from './registry.ts';
import type { DatasetRegistry } from './registry.ts';

export { mnist } from './mnist.node.ts';
export type { MnistNodeOptions } from './mnist.node.ts';

/** Every dataset by name. */
export const datasets = {
  mnist: { description: '70,000 images of handwritten digits, 28 x 28', options: { standardize: flag }, load: (options?: MnistNodeOptions): Promise<Dataset> => mnist(options) },
  ...portable,
} as const satisfies DatasetRegistry;

/** Loads any dataset by name. */
export const loadDataset = datasetLoader(datasets);

/** Any dataset from a text, as `datasetParser`. */
export const datasetNamed = datasetParser(datasets);
