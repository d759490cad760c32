/** What the synthetic datasets share: sizes, seeds and drawing a train and a test split from one law. @module */
import { requireInteger } from '../util/require.ts';
import { key, split } from '../util/random/index.ts';
import type { Key } from '../util/random/index.ts';
import type { Split } from './dataset.ts';

export interface SyntheticOptions {
  /** Everything random is a function of it; 0 by default. */
  readonly seed?: number;
  /** Examples of the train split; 1,000 by default. */
  readonly samples?: number;
  /** Examples of the test split, drawn independently from the same law; 1,000 by default. */
  readonly testSamples?: number;
}

/** The licence line of data that are computed here. */
export const SYNTHETIC_LICENCE = 'computed by Thalweg; no rights reserved (CC0 1.0)';

/** Draws both splits, each from its own key. The law itself (centres, teacher, subset) comes from `split(key(seed), 'law')`. */
export function drawSplits(
  operation: string, options: SyntheticOptions, draw: (key: Key, samples: number, law: Key) => Split,
): { train: Split; test: Split } {
  const { seed = 0, samples = 1000, testSamples = 1000 } = options;
  requireInteger(operation, 'samples', samples, 1);
  requireInteger(operation, 'testSamples', testSamples, 0);
  const root = split(key(seed), operation);
  const law = split(root, 'law');
  return { train: draw(split(root, 'train'), samples, law), test: draw(split(root, 'test'), testSamples, law) };
}

/** The key of the law, for those datasets that publish it. */
export const lawKey = (operation: string, seed = 0): Key => split(key(seed), operation, 'law');
