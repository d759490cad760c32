/** Entries with stored runs for the tests of the gallery: made up, with every kind of outcome. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { panels } from '../../charts/panels.ts';
import { exact, judge, meanOver, type Check, type ClaimDefinition } from '../claim.ts';
import { defineEntry, type Entry, type PresetName, type Topic } from '../entry.ts';
import type { LoadedEntry } from '../entries.node.ts';
import { ENTRY_SCHEMA, type EntryRecord } from '../record.ts';

/** What differs between made-up entries. */
export interface Fixture {
  readonly topic: Topic;
  readonly id: string;
  readonly title?: string;
  readonly authors?: readonly string[];
  readonly year?: number;
  readonly question?: string;
  readonly method?: string;
  readonly related?: readonly string[];
  readonly built?: Entry['built'];
  readonly claims?: readonly ClaimDefinition<unknown>[];
  /** Presets that were run; default quick and full. */
  readonly presets?: readonly PresetName[];
}

const check = (what: string, values: readonly number[], relation: Check['relation'], threshold: Check['threshold']): Check => ({ what, measured: meanOver(values), relation, threshold });

/** A claim that holds, one with a deviation, one that fails and says why, one that fails by itself, and one that only the full size tests. */
export const everyOutcome: readonly ClaimDefinition<unknown>[] = [
  {
    id: 'barrier-falls', text: 'The barrier $B(k) = \\max_t L((1-t)A + tB) - (1-t)L(A) - tL(B)$ falls with the step $k$ of the fork.', source: 'Section 3, figure 2',
    checks: () => [check('barrier of independent runs, nats', [1.85, 1.89], '>', 0.4), check('barrier of runs that part at $k = 0$, nats', [0.74, 0.8], '>', 0.4), { what: 'orders of barriers that fall', measured: exact(2), relation: 'within', threshold: [2, 2] }],
    controls: () => [check('barrier of runs that part at $k = 800$, nats', [0.0004, 0.0007], '>', 0.4), { what: 'orders that fall among shuffled steps', measured: exact(0), relation: 'within', threshold: [2, 2] }],
  },
  {
    id: 'predictor', text: 'A second-order formula at both ends predicts the barrier.', deviation: 'The paper predicts layer by layer; here all layers move at once, and the prediction is low by up to $1.5\\times$.',
    checks: () => [check('predicted over measured barrier', [0.65, 1.1, 1.35], 'within', [0.5, 1.6])], controls: () => [check('the same for a random direction of the same length', [12, 31, 75], 'within', [0.5, 1.6])],
  },
  {
    id: 'monotone-length', text: 'The distance of the ends falls at every step.', failure: 'The distance rises between $k = 20$ and $k = 50$ in one of the seeds; over all seeds it falls.',
    checks: () => [{ what: 'seeds in which it falls at every step', measured: exact(1), relation: '>=', threshold: 2 }], controls: () => [{ what: 'the same with steps shuffled', measured: exact(0), relation: '>=', threshold: 2 }],
  },
  {
    id: 'control-too', text: 'The control is as good: this claim must fail.',
    checks: () => [{ what: 'share explained', measured: { value: 0.93, error: NaN, kind: 'standard error', samples: 1 }, relation: '>', threshold: 0.9 }], controls: () => [{ what: 'share explained by chance', measured: { value: 0.95, error: 0.01, kind: 'bound' }, relation: '>', threshold: 0.9 }],
  },
  {
    id: 'only-full', only: 'full', text: 'At full size the residual $r$ is below $10^{-6}$.',
    checks: () => [{ what: 'largest residual', measured: { value: 3.2e-8, error: 3e-20, kind: 'rounding' }, relation: '<', threshold: 1e-6 }], controls: () => [{ what: 'without correction', measured: { value: 4e-3, error: 4e-15, kind: 'rounding' }, relation: '<', threshold: 1e-6 }],
  },
];

const figureOf = (title: string, preset: PresetName): string => {
  const x = Array.from({ length: 41 }, (_, i) => i / 40);
  return panels([
    { heading: 'Loss from A to B', x: { label: 'position' }, y: { label: 'loss, nats' }, series: [0, 20, 100, 400].map((k, i) => ({ name: `k = ${k}`, x, y: x.map((t) => (4 * t * (1 - t)) / (1 + i) + 0.02), color: { place: i / 3 } })) },
    { heading: 'Predicted and measured', x: { label: 'predicted barrier', scale: 'log' }, y: { label: 'measured barrier', scale: 'log' }, series: [{ name: 'pairs', mark: 'dot', x: [0.01, 0.06, 0.3, 0.9], y: [0.012, 0.05, 0.35, 1] }] },
  ], { title: `${title} (${preset})` });
};

function record(entry: Entry, preset: PresetName): EntryRecord {
  return {
    schema: ENTRY_SCHEMA, entry: `${entry.topic}/${entry.id}`, preset, seed: 0, seconds: preset === 'quick' ? 3.21 : 148.7, digest: '0123456789abcdef'.repeat(4),
    claims: entry.claims.filter(({ only }) => only === undefined || only === preset).map((claim) => judge(claim, undefined)),
    provenance: { thalweg: '0.1.0', runtime: { node: '20.19.0', v8: '11.3' }, platform: 'linux x64', cores: 2, executor: 'onnxruntime-node 1.30.0', date: '2026-01-02T03:04:05.000Z' },
  };
}

/** An entry with its stored runs; its program is a few lines in `folder`. */
export function loadedFixture(fixture: Fixture, folder: string): LoadedEntry {
  const { topic, id, title = `A paper on ${id.replaceAll('-', ' ')}`, claims = everyOutcome, presets = ['quick', 'full'] } = fixture;
  const entry = defineEntry<object, object>({
    id, topic, source: { title, authors: fixture.authors ?? ['Ada Example', 'Władysław Wzór'], year: fixture.year ?? 2020, arxiv: '2001.00001' },
    question: fixture.question ?? 'When are two runs connected by a line of low loss?',
    method: fixture.method ?? 'Two networks share their first $k$ steps. The barrier is $\\max_{t \\in [0, 1]} L((1-t)\\theta_A + t\\theta_B)$ above the chord.\n\nThe formula $\\tfrac12 t(1-t)\\,[t q_A + (1-t) q_B]$ with $q_A = \\Delta^\\top H_A \\Delta$ predicts it.',
    deviations: ['Images of $14 \\times 14$ pixels instead of $32 \\times 32$.'], built: fixture.built ?? [{ name: 'linearBarrier', from: 'thalweg/landscape', what: 'the barrier on the line between two points' }],
    ...(fixture.related && { related: fixture.related }), presets: { quick: { steps: 800, seeds: [0] }, full: { steps: 1500, seeds: [0, 1] } },
    run: () => Promise.resolve({}), claims, figure: () => '',
  }) as Entry;
  const sourcePath = join(folder, `${topic}-${id}.ts`);
  writeFileSync(sourcePath, `/** ${title}. @module */\nimport { linearBarrier } from 'thalweg/landscape';\n\n// A comment with <angle> brackets & 'quotes'.\nexport const barrier = async (a: Point, b: Point): Promise<number> => (await linearBarrier(a, b)).value + 0.5;\n`);
  return {
    entry, sourcePath,
    records: Object.fromEntries(presets.map((preset) => [preset, record(entry, preset)])),
    figures: Object.fromEntries(presets.map((preset) => [preset, figureOf(title, preset)])),
  };
}
