/** Every optimizer of the registry that works on any loss, down Rosenbrock's valley. */
import { describe, expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { add, mul, narrow, square, sub, sum } from '../ops/index.ts';
import { distances, modelFree, rows, scheduled } from './all-optimizers.test-helper.ts';
import { runOptimizer } from './optimizer-run.test-helper.ts';
import { optimizerNamed } from './registry.ts';

type Params = { w: Tensor };
/** (1 - x)^2 + 100 (y - x^2)^2, w = (x, y). */
function valley({ w }: Params): Tensor {
  const [x, y] = [narrow(w, 0, 0, 1), narrow(w, 0, 1, 2)];
  return sum(add(square(sub(1, x)), mul(100, square(sub(y, square(x))))));
}

describe("Rosenbrock's valley to near its optimum", () => {
  test.each(modelFree.map(([name]) => name))('%s', async (name) => {
    const trial = rows[name].rosenbrock!;
    const steps = trial.steps ?? 1000;
    const { answer } = await runOptimizer<Params>(optimizerNamed(trial.optimizer), valley, { w: array([-1.2, 1], [2], 'float64') }, { steps, rate: scheduled(trial, steps) });
    expect(Math.max(...distances(answer.w, [1, 1])), `${trial.optimizer} at ${trial.rate}`).toBeLessThan(trial.within ?? 0.1);
  });
});
