import { describe, test } from 'vitest';
import { NDArray } from '../../../core/ndarray.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { checkGrads } from '../../../testing/index.ts';
import type { ModelBuilder } from '../../model.ts';
import { bools, floats, numbers } from './agreement.test-helper.ts';
import { expectModelAgreement, modelFunction, type ModelCase } from './model-agreement.test-helper.ts';

const always = (builder: ModelBuilder): string => builder.constant(bools([1], []));

/** x <- x * 0.9 + step with each x stacked. */
const loop = (steps: number, x: NDArray, opset = 21): ModelCase => ({
  inputs: [x], opset, tolerance: 1e-5,
  build(builder, [start]) {
    const dtype = x.dtype;
    const body = builder.subgraph((inner) => {
      const [step, goesOn] = [inner.input(inner.fresh('step'), 'int64', []), inner.input(inner.fresh('condition'), 'bool', [])];
      const state = inner.input(inner.fresh('state'), dtype, x.shape);
      const rate = inner.constant(new NDArray(dtype === 'float64' ? Float64Array.of(0.9) : Float32Array.of(0.9), [], dtype));
      const next = inner.value('Add', [inner.value('Mul', [state, rate]), inner.value('Cast', [step], { to: dtype === 'float64' ? 11 : 1 })]);
      inner.output(inner.value('Identity', [goesOn]), 'bool', []);
      inner.output(next, dtype, x.shape);
      inner.output(inner.value('Tanh', [next]), dtype, x.shape);
    });
    const [last, every] = builder.node('Loop', [builder.int64([steps], []), always(builder), start], { body }, 2);
    return [builder.output(last, dtype), builder.output(every, dtype)];
  },
});

/** A running sum over slices of x along `from`, stacked along `to`. */
const running = (from: number, to: number, attributes: Record<string, number[]> = {}, opset = 21): ModelCase => ({
  inputs: [floats([2]), floats(from === 0 ? [5, 2] : [2, 5])], opset,
  build(builder, [start, x]) {
    const body = builder.subgraph((inner) => {
      const [total, slice] = [inner.input(inner.fresh('total'), 'float32', [2]), inner.input(inner.fresh('slice'), 'float32', [2])];
      const next = inner.value('Add', [total, slice]);
      inner.output(next, 'float32', [2]);
      inner.output(inner.value('Mul', [next, slice]), 'float32', [2]);
    });
    const [last, every] = builder.node('Scan', [start, x], { body, num_scan_inputs: 1, scan_input_axes: [from], scan_output_axes: [to], ...attributes }, 2);
    return [builder.output(last, 'float32'), builder.output(every, 'float32')];
  },
});

const branch = (condition: 0 | 1): ModelCase => ({
  inputs: [bools([condition], []), floats([3])],
  build(builder, [chosen, x]) {
    const side = (operator: string): ReturnType<ModelBuilder['subgraph']> => builder.subgraph((inner) => { inner.output(inner.value(operator, [x]), 'float32', [3]); });
    return [builder.output(builder.value('If', [chosen], { then_branch: side('Exp'), else_branch: side('Neg') }), 'float32')];
  },
});

const cases: Readonly<Record<string, ModelCase>> = {
  'Loop as a scan': loop(12, floats([2, 3])),
  'Loop unrolled': loop(3, floats([2, 3])),
  'Loop, operator set 10': loop(6, floats([2]), 10),
  'Scan': running(0, 0),
  'Scan, operator set 9': running(0, 0, {}, 9),
  'Scan along another axis': running(1, 1),
  'Scan along axes counted from the end': running(-1, -1),
  'Scan backward': running(0, 1, { scan_input_directions: [1] }),
  'Scan backward, stacked in reverse': running(1, 0, { scan_input_directions: [1], scan_output_directions: [1] }),
  'If, first branch': branch(1),
  'If, second branch': branch(0),
};

describe('branches and loops agree with ONNX Runtime', () => {
  test.each(Object.entries(cases))('%s', (_, model) => expectModelAgreement(model));
});

test('a loop is differentiated as the scan that it becomes', () => {
  const start = new NDArray(Float64Array.from(numbers(2)), [2], 'float64');
  const f = modelFunction(loop(6, start), 'float64');
  checkGrads((x: Tensor) => f(x)[1], [start], { order: 1 });
});
