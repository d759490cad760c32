/** Regression on the outputs of a random network, the teacher. @module */
import { NDArray } from '../core/ndarray.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { normal, split } from '../util/random/index.ts';
import type { Key } from '../util/random/index.ts';
import { makeSplit } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { drawSplits, lawKey, SYNTHETIC_LICENCE } from './synthetic.ts';
import type { SyntheticOptions } from './synthetic.ts';

export interface TeacherStudentOptions extends SyntheticOptions {
  /** Number of inputs; 20 by default. */
  readonly dimension?: number;
  /** Widths of the teacher's tanh layers; [4] by default, and [] is a linear teacher. */
  readonly hidden?: readonly number[];
  /** Number of targets; 1 by default. */
  readonly outputs?: number;
  /** Standard deviation of normal noise on the targets of both splits: squared, the Bayes risk per output; 0 by default. */
  readonly noise?: number;
}

/** One affine layer: y = x weight + bias, with `weight` f32[in, out] and `bias` f32[out]. */
export interface TeacherLayer {
  readonly weight: NDArray;
  readonly bias: NDArray;
}

export interface TeacherStudentDataset extends Dataset {
  /** The layers of the teacher: what a student would have to find. */
  readonly teacher: readonly TeacherLayer[];
}

function makeTeacher(law: Key, widths: readonly number[]): TeacherLayer[] {
  return widths.slice(1).map((out, layer) => {
    const fanIn = widths[layer];
    return {
      weight: new NDArray(normal(split(law, layer, 'weight'), [fanIn, out], { deviation: 1 / Math.sqrt(fanIn) }), [fanIn, out], 'float32'),
      bias: new NDArray(normal(split(law, layer, 'bias'), out, { deviation: 0.1 }), [out], 'float32'),
    };
  });
}

/** The teacher's outputs, in float64: f64 [samples * outputs]. */
function evaluate(teacher: readonly TeacherLayer[], inputs: ArrayLike<number>, samples: number): Float64Array {
  let values = Float64Array.from(inputs);
  teacher.forEach(({ weight, bias }, layer) => {
    const [fanIn, out] = weight.shape;
    const next = new Float64Array(samples * out);
    for (let i = 0; i < samples; i++) {
      for (let j = 0; j < out; j++) {
        let sum = bias.data[j];
        for (let k = 0; k < fanIn; k++) sum += values[i * fanIn + k] * weight.data[k * out + j];
        next[i * out + j] = layer + 1 < teacher.length ? Math.tanh(sum) : sum;
      }
    }
    values = next;
  });
  return values;
}

/**
 * Standard normal inputs f32[n, dimension] and targets f32[n, outputs] of a random tanh network with a linear last layer:
 * weights normal of variance 1 / fan-in, biases of deviation 0.1. Setting of Saad and Solla 1995. @throws ArgumentError
 */
export function teacherStudent(options: TeacherStudentOptions = {}): TeacherStudentDataset {
  const { dimension = 20, hidden = [4], outputs = 1, noise = 0, seed = 0 } = options;
  const widths = [dimension, ...hidden, outputs];
  widths.forEach((width) => requireInteger('teacherStudent', 'every width (dimension, hidden, outputs)', width, 1));
  requireNumber('teacherStudent', 'noise', noise, 0);
  const teacher = makeTeacher(lawKey('teacherStudent', seed), widths);
  const { train, test } = drawSplits('teacherStudent', options, (key, samples) => {
    const inputs = normal(split(key, 'inputs'), [samples, dimension]);
    const errors = normal(split(key, 'noise'), [samples, outputs], { deviation: noise, dtype: 'float64' });
    const targets = Float32Array.from(evaluate(teacher, inputs, samples), (y, at) => y + errors[at]);
    return makeSplit(new NDArray(inputs, [samples, dimension], 'float32'), new NDArray(targets, [samples, outputs], 'float32'));
  });
  return {
    name: 'teacher-student', kind: 'regression', train, test, teacher, inputShape: [dimension], licence: SYNTHETIC_LICENCE,
    source: `a random tanh network ${widths.join('-')}, noise ${noise}; after Saad and Solla 1995`,
  };
}
