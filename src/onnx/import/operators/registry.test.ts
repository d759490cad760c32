import { expect, test } from 'vitest';
import { operatorFamilies, operatorNames } from './registry.ts';

test('no operator is in two families', () => {
  const names = operatorFamilies.flatMap((table) => Object.keys(table));
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  expect(operatorNames().filter((name) => !name.includes(':'))).toEqual(names.sort());
});
