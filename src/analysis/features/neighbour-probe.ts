/** A classifier by the nearest neighbours among frozen features. @module */
import { dot } from '../../linalg/vector.ts';
import { ArgumentError, NonFiniteError } from '../../util/errors.ts';
import { requireInteger } from '../../util/require.ts';
import type { FeatureSet } from './collect.ts';
import { shareOf, type Accuracy } from './linear-probe.ts';

export interface NeighbourProbeOptions {
  /** k. Default 5. */
  readonly neighbours?: number;
}

/**
 * Accuracy on the test features of the majority among the k train features of the largest cosine similarity; of classes with as many votes, the one
 * whose nearest member is nearest wins. A feature vector of zeros has similarity 0 to all. There is nothing to fit and nothing drawn.
 * train x test x size multiplications. @throws ArgumentError without labels, when sizes differ, or with fewer than k train examples; NonFiniteError.
 */
export function neighbourProbe(train: FeatureSet, test: FeatureSet, { neighbours = 5 }: NeighbourProbeOptions = {}): Accuracy {
  const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: 'neighbourProbe', required, received }); };
  const { labels, size } = train;
  if (labels === undefined || test.labels === undefined) return refuse('train and test features must have labels', 'none');
  if (test.size !== size) refuse(`test features must have size ${size}`, String(test.size));
  if (test.examples === 0) refuse('test must hold examples', 'none');
  requireInteger('neighbourProbe', 'neighbours', neighbours, 1, train.examples);
  const [known, asked] = [unitRows(train), unitRows(test)];
  let correct = 0;
  for (let i = 0; i < test.examples; i++) {
    // The k largest so far, descending.
    const similarities = new Float64Array(neighbours).fill(-Infinity);
    const nearest = new Int32Array(neighbours);
    for (let j = 0; j < train.examples; j++) {
      const similarity = dot(asked, i * size, known, j * size, size);
      let place = neighbours;
      while (place > 0 && similarity > similarities[place - 1]) place--;
      if (place === neighbours) continue;
      similarities.copyWithin(place + 1, place, neighbours - 1);
      nearest.copyWithin(place + 1, place, neighbours - 1);
      similarities[place] = similarity;
      nearest[place] = labels[j];
    }
    if (majority(nearest) === test.labels[i]) correct++;
  }
  return shareOf(correct, test.examples);
}

/** The most frequent label; of several, the one that comes first. */
function majority(labels: Int32Array): number {
  const votes = new Map<number, number>();
  for (const label of labels) votes.set(label, (votes.get(label) ?? 0) + 1);
  // Maps keep the order in which labels came.
  return [...votes].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

function unitRows({ features, examples, size }: FeatureSet): Float64Array {
  const out = Float64Array.from(features);
  for (let i = 0; i < examples; i++) {
    const row = out.subarray(i * size, (i + 1) * size);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    if (!Number.isFinite(length)) throw new NonFiniteError({ operation: 'neighbourProbe', required: 'features must be finite', received: `a norm of ${length} in row ${i}` });
    if (length > 0) row.forEach((x, f) => { row[f] = x / length; });
  }
  return out;
}
