/**
 * Adam at its edge of stability (Cohen et al. 2022): trained full-batch, the largest eigenvalue of P^-1 H rises until it reaches
 * (2 + 2 beta1) / ((1 - beta1) rate), which is 38 / rate for beta1 = 0.9, and stays there.
 */
import { expect, test } from 'vitest';
import '../runtime/node.ts';
import { adam } from '../optim/adam.ts';
import { clusters, courseOf } from './edge-of-stability.test-helper.ts';
import { preconditionedSharpness } from './probes/preconditioned-sharpness.ts';

const probe = preconditionedSharpness({ every: 50 });
const beta2 = 0.99;

test.each([{ beta1: 0.9, factor: 38 }, { beta1: 0.5, factor: 6 }])('preconditioned sharpness rises to $factor / rate at beta1 = $beta1', async ({ beta1, factor }) => {
  const rate = 0.003;
  const course = await courseOf(clusters(), adam({ beta1, beta2 }), rate, 1500, factor / rate, probe);
  // Entry 0 is before the first step, where there is no P yet.
  expect(course.ratios[0]).toBeNaN();
  expect(course.ratios[1]).toBeLessThan(0.85);
  const { mean, least, most } = course.late(700);
  expect(Math.abs(mean - 1)).toBeLessThan(0.08);
  expect(least).toBeGreaterThan(0.85);
  expect(most).toBeLessThan(1.15);
  expect(course.rises(700)).toBeGreaterThan(50);
  expect(course.losses.at(-1)).toBeLessThan(0.5 * course.losses[700]);
});

test('at a fifteenth of the rate it is far below, and every step descends', async () => {
  const rate = 0.0002;
  const course = await courseOf(clusters(), adam({ beta2 }), rate, 1000, 38 / rate, probe);
  expect(Math.max(...course.ratios.slice(1))).toBeLessThan(0.25);
  expect(course.rises()).toBe(0);
});
