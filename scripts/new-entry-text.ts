/** The text of a new entry of the atlas, and its line of the registry. */
import { topics } from '../src/atlas/entry.ts';

const PATH = /^([a-z]+)\/([a-z0-9]+(?:-[a-z0-9]+)*)$/;

/** Topic and id of `TOPIC/ID`. @throws Error saying what is wrong with it. */
export function parsePath(path: string | undefined): { readonly topic: string; readonly id: string } {
  const [, topic, id] = PATH.exec(path ?? '') ?? [];
  if (topic === undefined || id === undefined) throw new Error(`an entry is named TOPIC/ID, the id in lower-case words joined by hyphens, got ${path === undefined ? 'nothing' : `'${path}'`}`);
  if (!(topics as readonly string[]).includes(topic)) throw new Error(`the topic must be one of ${topics.join(', ')}, got '${topic}'`);
  return { topic, id };
}

/** The registry with the entry at its end. @throws Error when it is there already. */
export function registered(registry: string, path: string): string {
  if (registry.includes(`'${path}':`)) throw new Error(`${path} is in the registry already`);
  const end = registry.lastIndexOf('};');
  if (end < 0) throw new Error('the registry does not end with };');
  return `${registry.slice(0, end)}  '${path}': () => import('./${path}.ts'),\n${registry.slice(end)}`;
}

/** An entry whose one claim measures nothing yet: it fails, and says so. */
export const skeleton = (topic: string, id: string): string => `/** TODO: what the paper says, in a line. @module */
import { defineEntry, exact, type EntryContext } from 'thalweg/atlas';
import { panels } from 'thalweg/charts';
import { key, normal, split } from 'thalweg/random';

interface Settings { readonly seeds: number }
interface Result { readonly measured: readonly number[]; readonly control: readonly number[] }

async function run({ settings: { seeds }, seed, progress }: EntryContext<Settings>): Promise<Result> {
  const measured: number[] = [];
  const control: number[] = [];
  for (let i = 0; i < seeds; i++) {
    await progress(i / seeds, \`run \${i + 1} of \${seeds}\`);
    // Every draw comes from a key of the seed, split by names.
    const [draw] = normal(split(key(seed), 'runs', i), 1);
    // TODO: the experiment, and the same without the cause that the paper names.
    measured.push(draw);
    control.push(draw);
  }
  return { measured, control };
}

export const entry = defineEntry<Settings, Result>({
  id: '${id}', topic: '${topic}',
  source: { title: 'TODO: the title', authors: ['TODO: the authors'], year: ${new Date().getFullYear()} },
  question: 'TODO: what does the paper ask?',
  method: 'TODO: the system, the quantity and how it is measured, with formulas such as $\\\\lambda_{\\\\max}$.',
  deviations: ['TODO: what differs from the experiment of the paper.'],
  built: [{ name: 'normal', from: 'thalweg/random', what: 'TODO: the pieces of the library that this shows' }],
  presets: { quick: { seeds: 3 }, full: { seeds: 10 } },
  run,
  claims: [{
    id: 'to-do',
    text: 'TODO: a statement of the paper that can fail.',
    // NaN satisfies nothing: the claim fails until it measures something. See extremeOver, meanOver and computed.
    checks: () => [{ what: 'TODO: nothing is measured yet', measured: exact(NaN), relation: '>', threshold: 0 }],
    controls: () => [{ what: 'TODO: the same comparison where the cause is missing', measured: exact(NaN), relation: '>', threshold: 0 }],
  }],
  figure: ({ measured, control }) => panels([{
    x: { label: 'run' }, y: { label: 'TODO' },
    series: [{ name: 'measured', x: measured.map((_, i) => i), y: measured, mark: 'dot' }, { name: 'control', x: control.map((_, i) => i), y: control, mark: 'ring' }],
  }], { title: 'TODO: the finding' }),
});
`;
