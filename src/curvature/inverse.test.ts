import { describe, expect, test } from 'vitest';
import { solve } from '../linalg/index.ts';
import { key, normal, split } from '../util/random/index.ts';
import { identityOperator, scaled, shifted, sumOf, transposed } from './algebra.ts';
import { lowRankOperator } from './algebra-parts.ts';
import { addScaled, norm } from './basis.ts';
import { conjugateGradient } from './conjugate-gradient.ts';
import { topEigenpairs } from './eigenpairs.ts';
import { inverse } from './inverse.ts';
import { residualsOf } from './inverse-solution.ts';
import { inFloat32, rotated } from './known-spectrum.test-helper.ts';
import { lsmr } from './lsmr.ts';
import { neumannInverse } from './neumann.ts';
import { denseMatrix, diagonalOperator, matrixMap, matrixOperator } from './operator.ts';
import { diagonalPreconditioner, preconditioned, rootPreconditioner, spectralPreconditioner } from './preconditioned.ts';
import { inverseOfLowRankUpdate } from './woodbury.ts';

const draw = (name: string, count: number): Float64Array => normal(split(key(7), name), count, { dtype: 'float64' });
const golden = matrixOperator(Float64Array.of(4, 1, 0, 1, 3, 1, 0, 1, 2), 3);
const b = Float64Array.of(1, 2, 3);
const ANSWER = [2 / 9, 1 / 9, 13 / 9];
const expectAnswer = (x: Float64Array, digits = 8): void => { ANSWER.forEach((value, i) => expect(x[i]).toBeCloseTo(value, digits)); };

// A trained network's Hessian in the small: positive, a few outliers over a bulk.
const values = [...Array.from({ length: 390 }, (_, i) => 0.5 + i / 390), 20, 50, 90, 130, 200, 300, 500, 700, 900, 1000];
const { operator, matrix } = rotated(values);
const right = [draw('b0', 400), draw('b1', 400), draw('b2', 400)];
const exact = right.map((vector) => solve(matrix, 400, vector));
const distance = (x: Float64Array, y: Float64Array): number => norm(x.map((value, i) => value - y[i]));

describe('the golden system: (4 1 0; 1 3 1; 0 1 2) x = (1, 2, 3)', () => {
  test('by every method', async () => {
    expectAnswer((await conjugateGradient(golden, [b], { tolerance: 1e-12 })).solutions[0].solution);
    expectAnswer((await lsmr(golden, [b], { tolerance: 1e-12 })).solutions[0].solution);
    expectAnswer((await neumannInverse(golden, [b], { terms: 400, tolerance: 1e-12 })).solutions[0].solution);
    for (const method of ['conjugate gradient', 'lsmr', 'neumann', 'dense'] as const) {
      const solver = inverse(golden, { method, tolerance: 1e-10, terms: 400 });
      expectAnswer((await solver.multiply([b]))[0]);
      expect(solver.latest[0].relativeResidual).toBeLessThanOrEqual(1e-10);
    }
    // As a diagonal and two rank-one terms: (4 - 1, 3 - 2, 2 - 1) + (e0 + e1)(e0 + e1)' + (e1 + e2)(e1 + e2)'.
    const woodbury = await inverseOfLowRankUpdate(diagonalOperator(Float64Array.of(1 / 3, 1, 1)), [Float64Array.of(1, 1, 0), Float64Array.of(0, 1, 1)]);
    expectAnswer((await woodbury.multiply([b]))[0]);
  });
});

describe('conjugate gradients', () => {
  test('several right-hand sides to the tolerance, the residual measured', async () => {
    const { solutions, cost } = await conjugateGradient(operator, right, { tolerance: 1e-9 });
    const residuals = await residualsOf(operator, solutions.map(({ solution }) => solution), right);
    solutions.forEach(({ solution, residual, relativeResidual, iterations, stopped }, i) => {
      expect(stopped).toBe('converged');
      expect(relativeResidual).toBeLessThanOrEqual(1e-9);
      expect(residual).toBe(norm(residuals[i]));
      // Smallest eigenvalue 0.5.
      expect(distance(solution, exact[i])).toBeLessThanOrEqual(residual / 0.5 + 1e-12);
      // Ten outliers and a bulk of condition 3: far fewer steps than coordinates.
      expect(iterations).toBeLessThan(60);
    });
    expect(cost.products).toBe(solutions.reduce((sum, { iterations }) => sum + iterations + 1, 0));
  });

  test('damping is the shifted system', async () => {
    const [{ solution }] = (await conjugateGradient(operator, [right[0]], { tolerance: 1e-11, damping: 0.3 })).solutions;
    const [{ solution: same }] = (await conjugateGradient(shifted(operator, 0.3), [right[0]], { tolerance: 1e-11 })).solutions;
    expect(distance(solution, same)).toBeLessThan(1e-8);
  });

  test('with known outliers as a preconditioner, fewer steps', async () => {
    const { largest } = await topEigenpairs(operator, { largest: 10, tolerance: 1e-6 });
    const preconditioner = spectralPreconditioner(largest.map(({ vector }) => vector), largest.map(({ value }) => value), 1);
    const [plain, helped] = [await conjugateGradient(operator, right, { tolerance: 1e-8 }), await conjugateGradient(operator, right, { tolerance: 1e-8, preconditioner })];
    helped.solutions.forEach(({ solution, iterations }, i) => {
      expect(distance(solution, exact[i])).toBeLessThan(1e-5);
      expect(iterations).toBeLessThan(0.6 * plain.solutions[i].iterations);
    });
  });

  test('a badly scaled matrix by its diagonal', async () => {
    const scales = Float64Array.from({ length: 400 }, (_, i) => 10 ** (i % 5 - 2));
    const bulk = rotated(values.map((x) => Math.min(x, 2))).matrix;
    const bad = matrixOperator(bulk.map((x, at) => x * (scales[Math.floor(at / 400)] * scales[at % 400])), 400);
    const diagonal = Float64Array.from({ length: 400 }, (_, i) => bulk[i * 401] * scales[i] ** 2);
    const options = { tolerance: 1e-8, maxIterations: 100 };
    expect((await conjugateGradient(bad, [right[0]], options)).solutions[0].stopped).toBe('budget');
    const [helped] = (await conjugateGradient(bad, [right[0]], { ...options, preconditioner: diagonalPreconditioner(diagonal) })).solutions;
    expect(helped.stopped).toBe('converged');
    expect(helped.iterations).toBeLessThan(40);
  });

  test('starts where told; from the solution it stops at once', async () => {
    const { solutions: [solved] } = await conjugateGradient(operator, [right[0]], { start: [exact[0]], tolerance: 1e-9 });
    expect([solved.iterations, solved.stopped]).toEqual([0, 'converged']);
    const near = exact[0].slice();
    addScaled(near, 1e-3, right[1]);
    const { solutions: [again] } = await conjugateGradient(operator, [right[0]], { start: [near], tolerance: 1e-9 });
    expect(distance(again.solution, exact[0])).toBeLessThan(1e-6);
  });

  test('in float32 refinement stops at rounding and says so', async () => {
    const { solutions: [solved] } = await conjugateGradient(inFloat32(operator), [right[0]], { tolerance: 1e-12 });
    expect(solved.stopped).toBe('stagnated');
    expect(solved.relativeResidual).toBeLessThan(1e-4);
    const [residual] = await residualsOf(operator, [solved.solution], [right[0]]);
    expect(norm(residual)).toBeLessThan(20 * solved.residual);
  });

  test('indefinite, zero, one coordinate, zero right-hand side, budget, abort', async () => {
    const stops = async (diagonal: number[], vector: Float64Array, options = {}) => (await conjugateGradient(diagonalOperator(Float64Array.from(diagonal)), [vector], options)).solutions[0];
    expect((await stops([1, -1], Float64Array.of(1, 3))).stopped).toBe('indefinite');
    expect((await stops([0, 0], Float64Array.of(1, 1))).stopped).toBe('indefinite');
    expect([...(await stops([4], Float64Array.of(2))).solution]).toEqual([0.5]);
    expect(await stops([1, -1], new Float64Array(2))).toMatchObject({ stopped: 'converged', iterations: 0, residual: 0, relativeResidual: 0 });
    expect((await conjugateGradient(operator, [right[0]], { maxIterations: 3 })).solutions[0]).toMatchObject({ stopped: 'budget', iterations: 3 });
    const controller = new AbortController();
    const { solutions } = await conjugateGradient(operator, [right[0]], { signal: controller.signal, onProgress: ({ done }) => { if (done >= 4) controller.abort(); } });
    expect(solutions[0]).toMatchObject({ stopped: 'aborted', iterations: 4 });
    await expect(conjugateGradient(randomSquare, [draw('r', 5)])).rejects.toThrowErrorMatchingInlineSnapshot(`[ArgumentError: conjugateGradient: operator must be symmetric, got 'matrix', which is not.]`);
    await expect(conjugateGradient(operator, [new Float64Array(3)])).rejects.toThrowErrorMatchingInlineSnapshot(`[ShapeError: conjugateGradient: right-hand side 0 must have 400 entries, got 3.]`);
  });
});

const randomSquare = matrixOperator(draw('square', 25), 5);

describe('least squares by LSMR', () => {
  const rows = 30;
  const columns = 12;
  const dense = draw('tall', rows * columns);
  const map = matrixMap(dense, rows, columns);

  /** (A'A + damping^2 I)^-1 A' b by a dense solve. */
  function expected(vector: Float64Array, damping: number): Float64Array {
    const normal_ = new Float64Array(columns * columns);
    const image = new Float64Array(columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        image[j] += dense[i * columns + j] * vector[i];
        for (let k = 0; k < columns; k++) normal_[j * columns + k] += dense[i * columns + j] * dense[i * columns + k];
      }
    }
    for (let j = 0; j < columns; j++) normal_[j * columns + j] += damping ** 2;
    return solve(normal_, columns, image);
  }

  test('tall, damped and not', async () => {
    for (const damping of [0, 0.7, 5]) {
      const vectors = [draw('y0', rows), draw('y1', rows)];
      const { solutions } = await lsmr(map, vectors, { tolerance: 1e-13, damping });
      solutions.forEach(({ solution, stopped, normalResidual, residual }, i) => {
        expect(distance(solution, expected(vectors[i], damping))).toBeLessThan(1e-9);
        expect(stopped).toBe('converged');
        expect(normalResidual).toBeLessThan(1e-9);
        expect(residual).toBeGreaterThan(0.1);
      });
    }
  });

  test('wide: the smallest of many solutions', async () => {
    const y = draw('wide', columns);
    const { solutions: [{ solution, residual }] } = await lsmr(transposed(map), [y], { tolerance: 1e-12 });
    expect(residual).toBeLessThan(1e-10);
    // The minimum-norm solution lies in the row space: solution = A z.
    const { solutions: [{ residual: outside }] } = await lsmr(map, [solution], { tolerance: 1e-13 });
    expect(outside).toBeLessThan(1e-10);
  });

  test('singular and rank one, zero right-hand side, zero map, budget', async () => {
    const one = lowRankOperator([Float64Array.of(1, 2, 2)]);
    const { solutions: [solved] } = await lsmr(one, [Float64Array.of(9, 0, 0)], { tolerance: 1e-12 });
    // The projection of b on u is 9 u / 9 = u, and A x = u (u'x): the smallest x is u / 9.
    [1 / 9, 2 / 9, 2 / 9].forEach((x, i) => expect(solved.solution[i]).toBeCloseTo(x, 10));
    expect(solved.stopped).toBe('converged');
    expect((await lsmr(map, [new Float64Array(rows)])).solutions[0]).toMatchObject({ stopped: 'converged', iterations: 0, residual: 0 });
    expect((await lsmr(scaled(map, 0), [draw('y0', rows)])).solutions[0]).toMatchObject({ stopped: 'converged', iterations: 0, normalResidual: 0 });
    expect((await lsmr(map, [draw('y0', rows)], { tolerance: 1e-12, maxIterations: 2 })).solutions[0]).toMatchObject({ stopped: 'budget', iterations: 2 });
  });

  test('in float32 the measured residuals decide', async () => {
    const { solutions: [solved] } = await lsmr(inFloat32(operator), [right[0]], { tolerance: 1e-12 });
    expect(['stagnated', 'budget']).toContain(solved.stopped);
    expect(solved.relativeResidual).toBeLessThan(1e-3);
  });
});

describe('the Neumann series', () => {
  test('its residual is the next term: s sum (I - s A)^k b by hand', async () => {
    const { solutions: [solved] } = await neumannInverse(golden, [b], { terms: 3, scale: 0.2, tolerance: 1e-12 });
    const dense = await denseMatrix(golden);
    const apply = (v: number[]): number[] => v.map((x, i) => x - 0.2 * [0, 1, 2].reduce((sum, j) => sum + dense[i * 3 + j] * v[j], 0));
    const [first, second] = [apply([...b]), apply(apply([...b]))];
    first.forEach((x, i) => expect(solved.solution[i]).toBeCloseTo(0.2 * (b[i] + x + second[i]), 12));
    expect(solved.residual).toBeCloseTo(Math.hypot(...apply(second)), 12);
    expect(solved).toMatchObject({ stopped: 'budget', iterations: 3 });
  });

  test('converges to the tolerance with a scale of its own', async () => {
    const bulk = rotated(values.map((x) => Math.min(x, 2))).operator;
    const { solutions } = await neumannInverse(bulk, right, { tolerance: 1e-6, damping: 0.1 });
    const residuals = await residualsOf(bulk, solutions.map(({ solution }) => solution), right, 0.1);
    solutions.forEach(({ stopped, relativeResidual }, i) => {
      expect(stopped).toBe('converged');
      expect(norm(residuals[i]) / norm(right[i])).toBeCloseTo(relativeResidual, 12);
      expect(relativeResidual).toBeLessThanOrEqual(1e-6);
    });
  });

  test('divergence is an error, not a number', async () => {
    await expect(neumannInverse(operator, [right[0]], { scale: 1 })).rejects.toThrow('the series must converge');
    await expect(neumannInverse(diagonalOperator(Float64Array.of(1, -0.5)), [Float64Array.of(1, 1)], { scale: 0.5 })).rejects.toThrow('the series must converge');
    await expect(neumannInverse(randomSquare, [draw('r', 5)])).rejects.toThrow('scale must be given');
    await expect(neumannInverse(diagonalOperator(Float64Array.of(0, 0)), [b.subarray(0, 2)])).rejects.toThrow('must be positive definite');
  });
});

describe('Woodbury', () => {
  test('a damped low-rank operator and its inverse are the identity, weights of any sign', async () => {
    const vectors = [draw('u0', 40), draw('u1', 40), draw('u2', 40)];
    const weights = Float64Array.of(3, -0.004, 0);
    const sum = sumOf([scaled(identityOperator(40), 0.5), lowRankOperator(vectors, weights)]);
    const inverted = await inverseOfLowRankUpdate(0.5, vectors, weights);
    const block = [draw('w0', 40), draw('w1', 40)];
    (await sum.multiply(await inverted.multiply(block))).forEach((image, i) => expect(distance(image, block[i])).toBeLessThan(1e-10));
    expect(inverted.symmetric).toBe(true);
    const dense = await denseMatrix(inverted);
    expect(Math.max(...dense.map((x, at) => Math.abs(x - dense[(at % 40) * 40 + Math.floor(at / 40)])))).toBeLessThan(1e-14);
  });

  test('refuses a singular update', async () => {
    await expect(inverseOfLowRankUpdate(1, [Float64Array.of(1, 0)], Float64Array.of(-1))).rejects.toThrow('nonsingular');
    await expect(inverseOfLowRankUpdate(0, [Float64Array.of(1, 0)])).rejects.toThrow('base must not be zero');
  });
});

describe('inverse as an operator', () => {
  test('A^-1 A is the identity, also for operators that are not symmetric, also transposed', async () => {
    for (const [matrix_, options] of [[operator, { tolerance: 1e-10 }], [randomSquare, {}], [randomSquare, { method: 'lsmr', tolerance: 1e-12 }]] as const) {
      const solver = inverse(matrix_, options);
      const block = [draw('v', matrix_.size), draw('v2', matrix_.size)];
      (await solver.multiply(await matrix_.multiply(block))).forEach((image, i) => expect(distance(image, block[i])).toBeLessThan(1e-6));
      (await solver.multiplyTransposed(await matrix_.multiplyTransposed(block))).forEach((image, i) => expect(distance(image, block[i])).toBeLessThan(1e-6));
      expect([solver.symmetric, solver.products]).toEqual([matrix_.symmetric, 4]);
    }
  });

  test('its largest eigenvalues are the smallest of the operator, inverted', async () => {
    const { largest } = await topEigenpairs(inverse(operator, { tolerance: 1e-10 }), { largest: 2, tolerance: 1e-6 });
    expect(1 / largest[0].value).toBeCloseTo(0.5, 5);
  });

  test('a system that is not solved throws, or is accepted and reported', async () => {
    await expect(inverse(operator, { maxIterations: 2 }).multiply([right[0]])).rejects.toThrow('after 2 iterations (budget)');
    const accepting = inverse(operator, { maxIterations: 2, unconverged: 'accept' });
    await accepting.multiply([right[0]]);
    expect(accepting.latest[0].stopped).toBe('budget');
    expect(() => inverse(randomSquare, { method: 'conjugate gradient' })).toThrow("method 'lsmr'");
  });
});

describe('preconditioned operators', () => {
  test('have the eigenpairs of P^-1 H', async () => {
    const diagonal = Float64Array.from({ length: 6 }, (_, i) => 0.5 + i);
    const hessian = rotated([5, 3, -2, 1, 0.5, 0]).operator;
    const factor = draw('factor', 36);
    for (const preconditioner of [diagonalPreconditioner(diagonal), rootPreconditioner(matrixOperator(factor, 6))]) {
      const seen = preconditioned(hessian, preconditioner);
      const { largest } = await topEigenpairs(seen, { largest: 3 });
      const vectors = await seen.toOriginal(largest.map(({ vector }) => vector));
      const images = await preconditioner.inverse.multiply(await hessian.multiply(vectors));
      images.forEach((image, i) => expect(distance(image, vectors[i].map((x) => largest[i].value * x))).toBeLessThan(1e-9 * (1 + norm(image))));
    }
  });

  test('refuses what is not positive', () => {
    expect(() => diagonalPreconditioner(Float64Array.of(1, 0))).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: diagonalPreconditioner: diagonal must be positive, got 0 at coordinate 1.
        Try: add damping]
    `);
    expect(() => spectralPreconditioner([Float64Array.of(1, 0)], [-2], 1)).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: spectralPreconditioner: damping, and values + damping, must be positive, got -1.
        Try: use the absolute values, or more damping]
    `);
    expect(() => preconditioned(operator, diagonalPreconditioner(Float64Array.of(1, 2)))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: preconditioned: preconditioner must have the operator's 400 coordinates, got 2.]`);
  });
});
