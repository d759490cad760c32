/** `thalweg weights` as its user meets it: tables, files, exit codes, Ctrl-C. */
import { readdirSync, readFileSync, writeFileSync, mkdirSync, existsSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { array, type NDArray } from '../src/core/ndarray.ts';
import { writeSafetensors } from '../src/interop/node.ts';
import { key, normal, split, uniform } from '../src/util/random/index.ts';
import { installedCommand, type Finished, type Watch } from './command.ts';

const patience = { timeout: 120_000 };
const { run, at } = installedCommand('cli-weights');
beforeAll(async () => {
  await writeSafetensors(at('model.safetensors'), { 'body.fc1.weight': heavy('fc1', 40, 60), 'body.fc2.weight': heavy('fc2', 50, 40), 'body.fc2.bias': draw('b', [50]), 'head.weight': draw('h', [3, 50]), conv: draw('c', [16, 12, 3, 3]) });
}, 120_000);

const draw = (name: string, shape: readonly number[]): NDArray => array(normal(split(key(1), name), shape), shape);
/** Noise whose columns have lengths of a heavy-tailed law. */
function heavy(name: string, rows: number, columns: number): NDArray {
  const lengths = uniform(split(key(1), name, 'lengths'), columns, { dtype: 'float64' }).map((u) => (1 - u) ** -0.4);
  return array(draw(name, [rows, columns]).data.map((x, i) => x * lengths[i % columns]), [rows, columns]);
}
const weights = (args: readonly string[], watch?: Watch): Promise<Finished> => run(['weights', ...args], watch);

interface Written {
  readonly models: readonly { readonly file: string; readonly summary: { readonly alpha?: number; readonly counts: Record<string, number> }; readonly layers: readonly { readonly name: string; readonly tail: { readonly status: string; readonly alpha?: { value: number } }; readonly eigenvalues: number[] }[] }[];
}

describe('a model', patience, () => {
  test('is printed layer by layer, with what was skipped, means and one sentence', async () => {
    const { code, stdout, stderr } = await weights([at('model.safetensors')]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Thalweg .*: weight spectra, seed 0\n/);
    expect(stdout).toMatch(/layer +shape +α +D +α-hat +stable rank +spikes +ERG +status/);
    for (const name of ['body.fc1.weight', 'body.fc2.weight', 'conv', 'conv \\[slices\\]']) expect(stdout).toMatch(new RegExp(`^ +${name} +\\[[\\d,]+\\] +\\S`, 'm'));
    expect(stdout).toContain('skipped head.weight [3,50]: fewer than 10 eigenvalues: 3');
    expect(stdout).toContain('(1 vectors and scalars have no spectrum)');
    expect(stdout).toMatch(/means: α \d/);
    expect(stdout).toMatch(/of 3 layers/);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^done in /);
    expect(stdout).not.toMatch(/NaN|undefined|-1\b/);
  });

  test('with everything asked for writes JSON and figures, the same for the same seed', async () => {
    const out = at('out');
    const json = at('weights.json');
    const options = ['--layers', 'body.*.weight,conv', '--randomize', '--bootstrap', '20', '--seed', '3', '--out', out, '--json', json];
    const { code, stdout } = await weights([at('model.safetensors'), ...options]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/95 % +p +shuffled JS +beyond +status/);
    expect(readdirSync(out).sort()).toEqual(['body.fc1.weight.svg', 'body.fc2.weight.svg', 'conv-slices.svg', 'conv.svg', 'weights.json']);
    expect(readFileSync(at('out', 'conv.svg'), 'utf8')).toMatch(/^<svg .*entries shuffled.*<\/svg>$/s);
    const first = readFileSync(json, 'utf8');
    const { models: [model] } = JSON.parse(first) as Written;
    expect(model.layers.map(({ name }) => name)).toEqual(['body.fc1.weight', 'body.fc2.weight', 'conv', 'conv [slices]']);
    expect(model.layers[0].eigenvalues).toHaveLength(40);
    for (const { tail } of model.layers) expect(tail.alpha !== undefined).toBe(tail.status === 'fitted');
    expect((await weights([at('model.safetensors'), ...options])).code).toBe(0);
    const plain = (text: string): string => text.replaceAll(/"seconds":[\d.e-]+/g, '');
    expect(plain(readFileSync(json, 'utf8'))).toBe(plain(first));
  });

  test('WeightWatcher\'s convolutions instead of ours', async () => {
    const json = at('theirs.json');
    expect((await weights([at('model.safetensors'), '--layers', 'conv', '--weightwatcher', '--json', json])).code).toBe(0);
    const ours = (JSON.parse(readFileSync(at('weights.json'), 'utf8')) as Written).models[0].layers[3].eigenvalues;
    const { models: [{ layers }] } = JSON.parse(readFileSync(json, 'utf8')) as Written;
    expect(layers.map(({ name }) => name)).toEqual(['conv [slices]']);
    layers[0].eigenvalues.forEach((value, i) => expect(value / ours[i]).toBeCloseTo(0.5, 5));
  });

  test('in shards is one model; several models end with a table', async () => {
    mkdirSync(at('sharded'));
    await writeSafetensors(at('sharded', 'a.safetensors'), { 'body.fc1.weight': heavy('fc1', 40, 60) });
    await writeSafetensors(at('sharded', 'b.safetensors'), { 'body.fc2.weight': heavy('fc2', 50, 40) });
    writeFileSync(at('sharded', 'model.safetensors.index.json'), JSON.stringify({ weight_map: { 'body.fc1.weight': 'a.safetensors', 'body.fc2.weight': 'b.safetensors' } }));
    const json = at('both.json');
    const { code, stdout } = await weights([at('sharded'), at('model.safetensors'), '--layers', 'body.*', '--json', json]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/model +α +α-hat +log norm +stable rank +entropy\n/);
    const { models } = JSON.parse(readFileSync(json, 'utf8')) as Written;
    expect(models[0].summary).toEqual(models[1].summary);
  });
});

describe('exit codes', patience, () => {
  test('2 for a mistake, in one line', async () => {
    writeFileSync(at('broken.safetensors'), 'not a model');
    const cases: [string[], RegExp][] = [
      [[], /missing required argument 'files'/],
      [[at('none.safetensors')], /none\.safetensors: the file must be readable, got ENOENT/],
      [[at('broken.safetensors')], /broken\.safetensors: the header must have at most/],
      [[at('model.safetensors'), '--layers', 'attention*'], /--layers must match some tensor of .*which has/],
      [[at('model.safetensors'), '--layers', ','], /--layers must hold at least one pattern/],
      [[at('model.safetensors'), '--min-evals', '0'], /--min-evals must be an integer of at least 1, got '0'/],
      [[at('model.safetensors'), '--bootstrap', '1'], /--bootstrap must be an integer of at least 2/],
      [[at('model.safetensors'), '--json', at('no', 'such', 'file.json')], /--json must be a file that can be written/],
      [[at('model.safetensors'), '--out', at('broken.safetensors', 'below')], /--out must be a folder/],
    ];
    const finished = await Promise.all(cases.map(([args]) => weights(args)));
    finished.forEach(({ code, stdout, stderr }, i) => {
      expect(stderr).toMatch(cases[i][1]);
      expect(stderr.trimEnd().split('\n'), stderr).toHaveLength(1);
      expect([code, stdout]).toEqual([2, '']);
    });
    expect(existsSync(at('no'))).toBe(false);
  });

  test('3 where weights are not finite: the layer is named, the others are measured', async () => {
    await writeSafetensors(at('diverged.safetensors'), { good: heavy('fc1', 40, 60), bad: array(new Float32Array(400).fill(Infinity), [20, 20]) });
    const { code, stdout } = await weights([at('diverged.safetensors')]);
    expect(code).toBe(3);
    expect(stdout).toContain('skipped bad [20,20]: an element is Infinity');
    expect(stdout).toMatch(/^ +good +\[40,60\]/m);
  });

  test('130 after Ctrl-C, in the middle of a large layer, with what was measured', async () => {
    await writeSafetensors(at('large.safetensors'), { a: heavy('fc1', 40, 60), large: draw('large', [2600, 2600]) });
    const json = at('interrupted.json');
    let sent = false;
    const { code, stdout, stderr } = await weights([at('large.safetensors'), '--json', json], {
      onOutput: (_, child) => {
        if (sent) return;
        sent = true;
        setTimeout(() => child.kill('SIGINT'), 2000);
      },
    });
    expect(code).toBe(130);
    expect(stderr).toContain('interrupted: finishing what is at hand');
    expect(stdout).toContain('incomplete in');
    // On a busy machine the signal may come before the small layer is done; the large one takes far longer.
    expect([[], ['a']]).toContainEqual((JSON.parse(readFileSync(json, 'utf8')) as Written).models[0].layers.map(({ name }) => name));
  });
});
