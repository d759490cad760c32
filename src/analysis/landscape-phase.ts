/** Phases of a loss landscape, told from train loss, mode connectivity and similarity (Yang et al. 2021, arXiv 2107.11228). @module */
import { ArgumentError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';

/** `I`, `II`: under-fitted, with and without a barrier between modes; `III`: fitted with a barrier; `IV-A`, `IV-B`: fitted, connected, dissimilar or similar. */
export type LandscapePhase = 'I' | 'II' | 'III' | 'IV-A' | 'IV-B';

/** What a phase is told from. */
export interface PhaseObservations {
  /** Mean training loss of the trained networks. */
  readonly trainLoss: number;
  /** Mode connectivity of two of them: negative for a barrier on the best curve between them (`curveConnectivity`). */
  readonly connectivity: number;
  /** Linear CKA of two of them. */
  readonly similarity: number;
}

/** Where phases meet: conventions, not measured quantities. */
export interface PhaseThresholds {
  /** Training loss from which on a network counts as under-fitted. Default 0.5. */
  readonly trainLoss?: number;
  /** A connectivity below minus this is a barrier. Default 0.05. */
  readonly connectivity?: number;
  /** CKA from which on networks count as similar. Default 0.7. */
  readonly similarity?: number;
}

/**
 * The phase of a cell of a load and temperature grid, as Yang et al. (2021, figure 1) divide the plane: the training loss tells I and II from III and IV, a
 * barrier between trained networks tells I from II and III from IV, and similarity divides IV.
 *
 * @throws ArgumentError when a number is not finite or a threshold is negative.
 */
export function landscapePhase(observed: PhaseObservations, thresholds: PhaseThresholds = {}): LandscapePhase {
  const { trainLoss, connectivity, similarity } = observed;
  for (const [name, value] of Object.entries({ trainLoss, connectivity, similarity })) {
    if (!Number.isFinite(value)) throw new ArgumentError({ operation: 'landscapePhase', required: `${name} must be a finite number`, received: String(value), remedy: 'a run that diverged has no phase' });
  }
  const at = {
    trainLoss: requireNumber('landscapePhase', 'thresholds.trainLoss', thresholds.trainLoss ?? 0.5, 0),
    connectivity: requireNumber('landscapePhase', 'thresholds.connectivity', thresholds.connectivity ?? 0.05, 0),
    similarity: requireNumber('landscapePhase', 'thresholds.similarity', thresholds.similarity ?? 0.7, 0, 1),
  };
  const hasBarrier = connectivity < -at.connectivity;
  if (trainLoss >= at.trainLoss) return hasBarrier ? 'I' : 'II';
  if (hasBarrier) return 'III';
  return similarity < at.similarity ? 'IV-A' : 'IV-B';
}
