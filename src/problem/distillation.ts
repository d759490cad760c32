/** A teacher's outputs as the targets of a problem. @module */
import { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { makeSplit } from '../data/index.ts';
import { crossEntropy } from '../losses/index.ts';
import { mul, softmax } from '../ops/index.ts';
import { ShapeError } from '../util/errors.ts';
import { requireNumber } from '../util/require.ts';
import { chunkedSum, type ChunkOptions } from './chunked.ts';
import { examplesOf, pointOf, predict, type Examples, type PointTensors } from './objective.ts';
import { ParameterSpace } from './parameter-space.ts';
import type { Point, Problem } from './problem.ts';

/** Options of `distillation`: the temperatures, what is fed in, chunks. */
export interface DistillationOptions extends ChunkOptions {
  /** tau_T: below 1 it sharpens the teacher's distributions. Default 1. */
  readonly teacherTemperature?: number;
  /** tau_S. Default 1. */
  readonly studentTemperature?: number;
  /** What teacher and student see, [n, ...]. Default: the inputs of the training split. */
  readonly inputs?: NDArray;
}

/**
 * The problem of imitating a frozen teacher, without labels: targets softmax(f_T(x) / tau_T) f32[n, outputs], loss
 * -sum_k target_k log softmax(f_S(x) / tau_S)_k (Hinton, Vinyals, Dean 2015; without their factor tau^2). Teacher and student have the model of
 * `problem`, the teacher in eval mode. The new problem has no test split.
 * @throws ArgumentError when a temperature is not positive; ShapeError unless outputs are [batch, k].
 */
export async function distillation<P, State>(problem: Problem<P, State>, teacher: Point<P, State>, options: DistillationOptions = {}): Promise<Problem<P, State>> {
  const { teacherTemperature = 1, studentTemperature = 1, inputs = problem.train.inputs, ...chunking } = options;
  requireNumber('distillation', 'teacherTemperature', teacherTemperature, Number.MIN_VALUE);
  requireNumber('distillation', 'studentTemperature', studentTemperature, Number.MIN_VALUE);
  const { dtype } = new ParameterSpace(teacher.params);
  // A split needs targets; these are not looked at.
  const unlabelled = makeSplit(inputs, new NDArray(new Int32Array(inputs.shape[0]), [inputs.shape[0]], 'int32'));
  const soften = chunkedSum<Record<string, never>, Examples, [PointTensors<P, State>], Tensor>((_, batch, { params, state }) => {
    const outputs = predict(problem, params, state, batch.inputs);
    if (outputs.rank !== 2) throw new ShapeError({ operation: 'distillation', required: 'outputs must be [batch, k]', received: outputs.toString() });
    return softmax(mul(outputs, 1 / teacherTemperature), -1);
  }, {}, examplesOf(unlabelled, dtype), { ...chunking, bind: false, name: `teacher of ${problem.name}` });
  let targets = new Float32Array(0);
  let width = 0;
  try {
    await soften.each([pointOf(teacher) as never], (part, { start }) => {
      const { data, shape } = part as unknown as NDArray;
      if (width === 0) targets = new Float32Array(unlabelled.size * (width = shape[1]));
      targets.set(data, start * width);
    });
  } finally {
    await soften.dispose();
  }
  return {
    name: `${problem.name}, distilled`, model: problem.model, train: makeSplit(inputs, new NDArray(targets, [unlabelled.size, width], 'float32')),
    loss: (outputs, soft) => crossEntropy(studentTemperature === 1 ? outputs : mul(outputs, 1 / studentTemperature), soft),
  };
}
