/**
 * Gradient descent at the edge of stability (Cohen, Kaur, Li, Kolter, Talwalkar 2021): trained full-batch, the largest eigenvalue of the
 * Hessian rises until it reaches what a quadratic is stable under, 2 / rate or with momentum 2 (1 + beta) / rate, and stays there
 * while the loss falls on, no longer at every step.
 */
import { describe, expect, test } from 'vitest';
import '../runtime/node.ts';
import { mnist } from '../data/node.ts';
import { subset } from '../data/index.ts';
import { sgd } from '../optim/index.ts';
import { clusters, courseOf, tanhNetwork } from './edge-of-stability.test-helper.ts';
import { sharpness } from './probes/sharpness.ts';

const probe = sharpness({ every: 100 });

describe('clusters', () => {
  const rate = 0.3;

  test('gradient descent: sharpness rises to 2 / rate and hovers there', async () => {
    const course = await courseOf(clusters(), sgd(), rate, 3500, 2 / rate, probe);
    expect(course.ratios[0]).toBeLessThan(0.75);
    const { mean, least, most } = course.late(2500);
    expect(Math.abs(mean - 1)).toBeLessThan(0.05);
    expect(least).toBeGreaterThan(0.9);
    expect(most).toBeLessThan(1.1);
    // Unstable along the sharpest direction, yet descending in the long run.
    expect(course.rises(2500)).toBeGreaterThan(100);
    expect(course.losses.at(-1)).toBeLessThan(0.95 * course.losses[2500]);
  });

  test('gradient descent at a sixth of the rate: 2 / rate is far off, and every step descends', async () => {
    const small = rate / 6;
    const course = await courseOf(clusters(), sgd(), small, 1500, 2 / small, probe);
    expect(course.late(0).most).toBeLessThan(0.2);
    expect(course.rises()).toBe(0);
  });

  test('momentum at the same rate: sharpness passes 2 / rate and hovers at 2 (1 + beta) / rate', async () => {
    const momentum = 0.5;
    const course = await courseOf(clusters(), sgd({ momentum }), rate, 3500, (2 * (1 + momentum)) / rate, probe);
    expect(course.ratios[0]).toBeLessThan(0.5);
    const { mean, least, most } = course.late(2500);
    expect(Math.abs(mean - 1)).toBeLessThan(0.05);
    expect(least).toBeGreaterThan(0.9);
    expect(most).toBeLessThan(1.1);
    // 2 / rate is at 0.667 of the limit: nothing holds it there, and the loss rises only once the limit is reached.
    expect(course.rises(1500)).toBe(course.rises());
    expect(course.rises()).toBeGreaterThan(20);
  });
});

describe('200 digits of MNIST', () => {
  const digits = async () => tanhNetwork('digits', subset((await mnist()).train, 200), [784, 20, 20, 10]);

  test('gradient descent stays at 2 / rate; at an eighth of the rate it does not come near', async () => {
    const course = await courseOf(await digits(), sgd(), 0.4, 800, 2 / 0.4, probe);
    const { mean, least, most } = course.late(400);
    expect(Math.abs(mean - 1)).toBeLessThan(0.05);
    expect(least).toBeGreaterThan(0.9);
    expect(most).toBeLessThan(1.1);
    expect(course.rises(400)).toBeGreaterThan(50);
    const control = await courseOf(await digits(), sgd(), 0.05, 300, 2 / 0.05, probe);
    expect(control.late(0).most).toBeLessThan(0.4);
    expect(control.rises()).toBe(0);
  });
});
