/** A run that saves after every step, for a process of its own that is killed: `node checkpoint-kill.test-helper.ts FOLDER`. */
import { pathToFileURL } from 'node:url';
import { mlp, type AnyModel } from '../nn/index.ts';
import { sgd } from '../optim/index.ts';
import { referenceExecutor } from '../runtime/reference.ts';
import { directoryStore } from './node.ts';
import { train, type CheckpointStore, type TrainingRun } from './index.ts';
import { clusters } from './training.test-helper.ts';

/** Number of steps of the run. */
export const STEPS = 100;

/** Goes on from the store's latest checkpoint, or begins. */
export async function continued(store: CheckpointStore): Promise<TrainingRun<unknown, unknown>> {
  // Wide enough that a kill often falls into the writing.
  const problem = clusters(60, mlp({ sizes: [2, 200, 3] }) as AnyModel);
  return train(problem, { optimizer: sgd({ momentum: 0.9 }), schedule: 0.05, steps: STEPS, batchSize: 8, seed: 2, executor: referenceExecutor, resume: await store.latest(), checkpoint: { store, every: 1 } });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await continued(directoryStore(process.argv[2]));
