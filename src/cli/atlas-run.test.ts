import { describe, expect, test } from 'vitest';
import { judge, type ClaimDefinition, type JudgedClaim } from '../atlas/index.ts';
import type { SnapshotReport } from '../atlas/node.ts';
import { exitCode, resultText, type AtlasResult } from './atlas-run.ts';

const definition: ClaimDefinition<number> = {
  id: 'grows', text: 'It grows: $x > 1$.', source: 'section 2',
  checks: (x) => [{ what: 'growth', measured: { value: x, error: 0.1, kind: 'standard error', samples: 5 }, relation: '>', threshold: 1 }],
  controls: () => [{ what: 'growth without cause', measured: { value: 0.5, error: 0, kind: 'exact' }, relation: '>', threshold: 1 }],
};
const finished = (claims: readonly JudgedClaim[], snapshot?: SnapshotReport): AtlasResult =>
  ({ outcome: { entry: 'games/a', kind: 'finished', seconds: 1, figure: '', record: { entry: 'games/a', preset: 'quick', claims } as never }, ...(snapshot && { snapshot }) });
const known = { ...definition, failure: 'found at another size only' };
const changed = (kind: 'verdict' | 'value'): SnapshotReport => ({ status: 'changed', file: 'f.json', changes: [{ kind, claim: 'grows', text: 'something changed' }] });

describe('the exit code', () => {
  test.each<[string, AtlasResult, number]>([
    ['a claim that holds', finished([judge(definition, 2)]), 0],
    ['one that fails', finished([judge(definition, 0)]), 1],
    ['one that is known to fail', finished([judge(known, 0)]), 0],
    ['one that is known to fail and holds', finished([judge(known, 2)]), 0],
    ['a verdict that changed', finished([judge(definition, 2)], changed('verdict')), 1],
    ['a value that changed', finished([judge(definition, 2)], changed('value')), 0],
    ['a verdict that is stored anew', finished([judge(definition, 2)], { ...changed('verdict'), status: 'stored' }), 0],
    ['an error', { outcome: { entry: 'games/a', kind: 'failed', seconds: 0, message: 'm' } }, 1],
    ['an interruption', { outcome: { entry: 'games/a', kind: 'interrupted', seconds: 0 } }, 130],
  ])('of %s', (_, result, code) => {
    expect(exitCode([finished([judge(definition, 2)]), result])).toBe(code);
  });
});

describe('the text', () => {
  const textOf = (result: AtlasResult, controls = false): string => resultText(result, { controls });

  test('has verdict, statement and checks; controls when asked for', () => {
    expect(textOf(finished([judge(definition, 2)]))).toBe(`
games/a: 1 holds
  grows: holds
    It grows: x > 1. (section 2)
      holds  growth: 2.00 ± 0.10 (standard error, n = 5) > 1
`);
    expect(textOf(finished([judge(definition, 2)]), true)).toContain('    controls, none of which may hold:\n      fails  growth without cause: 0.5 > 1\n');
  });

  test('of a claim that fails has the reason and the controls; a documented failure its own', () => {
    expect(textOf(finished([judge(definition, 0)]))).toContain('  grows: fails\n    It grows: x > 1. (section 2)\n    reason: does not hold: growth\n      fails  growth: 0.00 ± 0.10 (standard error, n = 5) > 1\n    controls, none');
    expect(textOf(finished([judge(known, 0)]))).toContain('  grows: fails (documented)\n    It grows: x > 1. (section 2)\n    reason: found at another size only\n');
    expect(textOf(finished([judge(known, 2)]))).toContain('  grows: holds, though the entry documents that it fails');
  });

  test('says what changed, in words', () => {
    expect(textOf(finished([judge(definition, 2)], changed('verdict')))).toContain('  this run differs from the stored one:\n    VERDICT CHANGED: something changed\n  see f.json (--update stores it)\n');
    expect(textOf(finished([judge(definition, 2)], { status: 'absent', changes: [] }))).toContain('no run of this preset (quick) and seed is stored to compare with');
  });
});
