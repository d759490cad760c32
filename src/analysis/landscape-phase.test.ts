import { expect, test } from 'vitest';
import { landscapePhase } from './landscape-phase.ts';

test('the plane is divided by training loss, then by the barrier, then by similarity', () => {
  const phase = (trainLoss: number, connectivity: number, similarity: number): string => landscapePhase({ trainLoss, connectivity, similarity });
  expect(phase(1, -0.2, 0.1)).toBe('I');
  expect(phase(1, 0.2, 0.9)).toBe('II');
  expect(phase(0.1, -0.2, 0.9)).toBe('III');
  expect(phase(0.1, 0, 0.3)).toBe('IV-A');
  expect(phase(0.1, 0, 0.9)).toBe('IV-B');
  // At a threshold: under-fitted, no barrier, similar.
  expect(phase(0.5, -0.05, 0)).toBe('II');
  expect(phase(0.49, -0.05, 0.7)).toBe('IV-B');
});

test('thresholds may be others; a run that diverged has no phase', () => {
  expect(landscapePhase({ trainLoss: 1, connectivity: -0.2, similarity: 0.6 }, { trainLoss: 2, connectivity: 0.3, similarity: 0.5 })).toBe('IV-B');
  expect(() => landscapePhase({ trainLoss: NaN, connectivity: 0, similarity: 0 })).toThrow(/trainLoss must be a finite number/);
  expect(() => landscapePhase({ trainLoss: 1, connectivity: 0, similarity: 0 }, { similarity: 2 })).toThrow(/thresholds.similarity/);
});
