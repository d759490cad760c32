import { describe, expect, test } from 'vitest';
import { learningRatePhase, type LearningRatePhaseOptions } from './learning-rate-phase.ts';
import { uvReducedMap } from './uv-model.ts';

const phaseOf = (losses: ArrayLike<number>, options?: LearningRatePhaseOptions): string => learningRatePhase(losses, options).phase;

describe('learningRatePhase', () => {
  test('of courses by hand', () => {
    expect(phaseOf([1, 0.5, 0.25])).toBe('lazy');
    expect(phaseOf([1, 4, 5, 0.9])).toBe('lazy');
    expect(phaseOf([1, 6, 0.9])).toBe('catapult');
    expect(phaseOf([1, 6, 1.1])).toBe('divergent');
    expect(phaseOf([1, 1e9, 0.1])).toBe('divergent');
    expect(phaseOf([1, NaN, 0.1])).toBe('divergent');
    expect(phaseOf([1, 0.1, Infinity])).toBe('divergent');
    expect(phaseOf([1, 3, 0.5], { growth: 2 })).toBe('catapult');
  });

  test('tells the numbers it is read off, of what is finite', () => {
    expect(learningRatePhase([2, 12, 1])).toEqual({ phase: 'catapult', largest: 12, growth: 6, last: 1 });
    expect(learningRatePhase([2, 12, 30, Infinity, NaN])).toEqual({ phase: 'divergent', largest: 30, growth: 15, last: 30 });
  });

  test('of the solvable model on both sides of its thresholds 2 and 4', () => {
    const phase = (scale: number): string => phaseOf(uvReducedMap({ output: 1, kernel: 2, width: 512, rate: scale / 2, steps: 4000 }).outputs.map((f) => f * f / 2));
    expect([0.5, 1.9, 2.2, 3, 3.8, 4.05, 4.3].map(phase)).toEqual(['lazy', 'lazy', 'catapult', 'catapult', 'catapult', 'divergent', 'divergent']);
  });

  test('refuses a course without a start', () => {
    for (const losses of [[], [0, 1], [NaN], [Infinity]]) expect(() => learningRatePhase(losses)).toThrow(/losses must begin with/);
  });
});
