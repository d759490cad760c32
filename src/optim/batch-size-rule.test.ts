import { expect, test } from 'vitest';
import { batchSizeRule } from './batch-size-rule.ts';

test('batchSizeRule: proportional or as the root, up to the critical batch size', () => {
  const linear = batchSizeRule({ rate: 0.1, batchSize: 256, rule: 'linear', criticalBatchSize: 1024 });
  expect([64, 256, 512, 1024, 8192].map(linear)).toEqual([0.025, 0.1, 0.2, 0.4, 0.4]);
  const root = batchSizeRule({ rate: 0.1, batchSize: 256, rule: 'square-root' });
  expect(root(1024)).toBeCloseTo(0.2, 14);
  expect(root(16)).toBeCloseTo(0.025, 14);
});

test('batchSizeRule: refuses what is out of range', () => {
  expect(() => batchSizeRule({ rate: -1, batchSize: 1, rule: 'linear' })).toThrow(/rate/);
  expect(() => batchSizeRule({ rate: 1, batchSize: 1, rule: 'cubic' as never })).toThrow(/'cubic'/);
  expect(() => batchSizeRule({ rate: 1, batchSize: 1, rule: 'linear' })(0)).toThrow(/batch/);
});
