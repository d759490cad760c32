/** The solvable model of large learning rates: one datum, two layers, no activation; and its exact reduction to two numbers. @module */
import { ShapeError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';

/** The course of gradient descent in function space, from the start on; shorter than asked for where it left the bound. */
export interface UvCourse {
  /** f_0, f_1, ...: outputs. The loss is f^2 / 2. */
  readonly outputs: Float64Array;
  /** lambda_0, lambda_1, ...: the tangent kernel of the one datum, which is the only non-zero eigenvalue of the Gauss-Newton matrix. */
  readonly kernels: Float64Array;
}

/** What both ways of following the model take. */
export interface UvCourseOptions {
  /** Learning rate, above 0. */
  readonly rate: number;
  readonly steps: number;
  /** The course ends at the first output that is not below it in magnitude. Default 1.5e6: a loss of about 1e12. */
  readonly bound?: number;
}

/** Start and learning rate of `uvDescent`. */
export interface UvDescentOptions extends UvCourseOptions {
  /** First and second layer, [n] each. Only read. */
  readonly u: Float64Array;
  readonly v: Float64Array;
}

/**
 * Gradient descent on L = f^2 / 2 with f = u . v / sqrt(n): the datum x = 1 with target 0 (Lewkowycz, Bahri, Dyer, Sohl-Dickstein,
 * Gur-Ari 2020, section 2). Both layers move at once; lambda = (|u|^2 + |v|^2) / n. In float64.
 * @throws ShapeError when u and v differ in length or are empty; ArgumentError on impossible options.
 */
export function uvDescent({ u: u0, v: v0, ...options }: UvDescentOptions): UvCourse {
  const n = u0.length;
  if (n === 0 || v0.length !== n) throw new ShapeError({ operation: 'uvDescent', required: 'u and v must have the same length, at least 1', received: `${n} and ${v0.length}` });
  const [u, v] = [u0.slice(), v0.slice()];
  const measured = (): readonly [number, number] => {
    let [inner, squares] = [0, 0];
    for (let i = 0; i < n; i++) {
      inner += u[i] * v[i];
      squares += u[i] * u[i] + v[i] * v[i];
    }
    return [inner / Math.sqrt(n), squares / n];
  };
  return follow('uvDescent', options, measured(), ([f]) => {
    const pull = (options.rate * f) / Math.sqrt(n);
    for (let i = 0; i < n; i++) {
      const old = u[i];
      u[i] -= pull * v[i];
      v[i] -= pull * old;
    }
    return measured();
  });
}

/** Start, width and learning rate of `uvReducedMap`. */
export interface UvReducedMapOptions extends UvCourseOptions {
  readonly output: number;
  readonly kernel: number;
  /** n; Infinity for the linearised model, whose kernel stays. */
  readonly width: number;
}

/**
 * The same course from its two numbers alone, without approximation:
 *   f' = (1 - eta lambda + eta^2 f^2 / n) f,   lambda' = lambda + (eta f^2 / n) (eta lambda - 4)
 * (Lewkowycz et al. 2020, section 2). Between eta lambda = 2 and 4, |f| grows until f^2 is of order n, and lambda then falls.
 * @throws ArgumentError on impossible options.
 */
export function uvReducedMap({ output, kernel, width, ...options }: UvReducedMapOptions): UvCourse {
  requireNumber('uvReducedMap', 'output', output);
  requireNumber('uvReducedMap', 'kernel', kernel, 0);
  if (width !== Infinity) requireInteger('uvReducedMap', 'width', width, 1);
  const { rate } = options;
  return follow('uvReducedMap', options, [output, kernel], ([f, lambda]) => {
    const drift = (rate * f * f) / width;
    return [(1 - rate * lambda + rate * drift) * f, lambda + drift * (rate * lambda - 4)];
  });
}

function follow(operation: string, { rate, steps, bound = 1.5e6 }: UvCourseOptions, start: readonly [number, number], step: (at: readonly [number, number]) => readonly [number, number]): UvCourse {
  requireNumber(operation, 'rate', rate, Number.MIN_VALUE);
  requireInteger(operation, 'steps', steps, 0);
  requireNumber(operation, 'bound', bound, 0);
  const [outputs, kernels] = [[start[0]], [start[1]]];
  let at = start;
  for (let t = 0; t < steps && Math.abs(at[0]) < bound; t++) {
    at = step(at);
    outputs.push(at[0]);
    kernels.push(at[1]);
  }
  return { outputs: Float64Array.from(outputs), kernels: Float64Array.from(kernels) };
}
