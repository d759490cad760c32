/** Every entry of the atlas, in the order of the papers' first appearance here. @module */
import type { Entry } from 'thalweg/atlas';

/** By `TOPIC/ID`; each is loaded when it is asked for. A test fails on a file that is not here. */
export const entries: Readonly<Record<string, () => Promise<{ readonly entry: Entry }>>> = {
  'dynamics/catapult': () => import('./dynamics/catapult.ts'),
  'curvature/setol-spectral-quality': () => import('./curvature/setol-spectral-quality.ts'),
  'curvature/empirical-hessian': () => import('./curvature/empirical-hessian.ts'),
  'curvature/opposing-signals': () => import('./curvature/opposing-signals.ts'),
  'curvature/representation-geometry-phases': () => import('./curvature/representation-geometry-phases.ts'),
  'landscape/linear-mode-connectivity': () => import('./landscape/linear-mode-connectivity.ts'),
  'curvature/learning-rate-transfer': () => import('./curvature/learning-rate-transfer.ts'),
  'curvature/batch-size-random-matrix': () => import('./curvature/batch-size-random-matrix.ts'),
  'landscape/river-valley-wsd': () => import('./landscape/river-valley-wsd.ts'),
  'landscape/random-teachers': () => import('./landscape/random-teachers.ts'),
  'curvature/lla-hessian-axes': () => import('./curvature/lla-hessian-axes.ts'),
  'landscape/phase-model-zoo': () => import('./landscape/phase-model-zoo.ts'),
  'landscape/step-law': () => import('./landscape/step-law.ts'),
};
