import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gaussianClusters } from '../data/index.ts';
import { prepareProblem } from './prepare.ts';
import { SURVEY_SCHEMA, type SurveyRecord } from './record.ts';
import { flowers, small } from './small-survey.test-helper.ts';
import { survey } from './survey.ts';

const document = readFileSync(new URL('../../docs/survey-json.md', import.meta.url), 'utf8');
const [main, ofMeasurements] = document.split('## Measurements');
/** The first column of the tables. */
const documented = (text: string): string[] => [...text.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
const measurementFields = documented(ofMeasurements);

/** Paths to all that is no object or list, with `[]` for positions in lists; measurements end a path, but for fields of their own. */
function pathsOf(value: unknown, path = ''): string[] {
  if (path === 'provenance' || value === null || typeof value !== 'object') return [path];
  if (Array.isArray(value)) return value.flatMap((element) => pathsOf(element, `${path}[]`));
  const isMeasurement = 'kind' in value && 'error' in value;
  const fields = Object.entries(value).filter(([name]) => !(isMeasurement && measurementFields.includes(name)));
  return [...(isMeasurement ? [path] : []), ...fields.flatMap(([name, child]) => pathsOf(child, path === '' ? name : `${path}.${name}`))];
}

test('docs/survey-json.md names every path of real records, and no other', async () => {
  const whole = await survey(flowers(), { settings: small, seed: 0, provenance: { thalweg: '0' } });
  const diverged = await survey(flowers(), { settings: { ...small, epochs: 20, learningRate: 1e38 }, seed: 0 });
  // Wide enough for a tail to be fitted to its weights, and for the decay of its features.
  const wide = await survey(prepareProblem('mlp:2-60-60-3', gaussianClusters({ samples: 120, testSamples: 60 })), { settings: { ...small, epochs: 20 }, seed: 0, only: ['weights', 'features'] });
  // On a part of the training split.
  const part = await survey(flowers(), { settings: { ...small, samples: 60 }, seed: 0, only: ['eigenvalues', 'trace'] });
  // Too wide for its features.
  const widest = await survey(prepareProblem('mlp:2-1030-3', gaussianClusters({ samples: 30, testSamples: 30 })), { settings: { ...small, epochs: 1 }, seed: 0, only: ['features'] });
  expect(widest).toMatchObject({ complete: true, failures: [], costs: [{ name: 'training' }, { name: 'features', omitted: expect.stringContaining('1030 numbers') as string }] });
  const paths = (record: SurveyRecord): string[] => pathsOf(JSON.parse(JSON.stringify(record)));
  const found = [...new Set([...paths(whole), ...paths(diverged), ...paths(wide), ...paths(part), ...paths(widest)])].sort();
  expect(documented(main).sort()).toEqual(found);
  expect([...measurementFields].sort()).toEqual(['error', 'kind', 'samples', 'value']);
  expect(document).toContain(SURVEY_SCHEMA);
});
