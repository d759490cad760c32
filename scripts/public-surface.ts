/** The public surface, read from the sources: which subpaths the package has and which names each one exports. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { root, sourceCondition } from './bootstrap.mjs';

/** Subpath of the package -> the source file that defines it. A row whose file does not exist yet is not exported. */
const entrySources: Readonly<Record<string, string>> = {
  '.': 'src/index.ts',
  './ops': 'src/ops/index.ts',
  './transforms': 'src/transforms/index.ts',
  './tree': 'src/tree/index.ts',
  './random': 'src/util/random/index.ts',
  './linalg': 'src/linalg/index.ts',
  './onnx': 'src/onnx/index.ts',
  './testing': 'src/testing/index.ts',
  './nn': 'src/nn/index.ts',
  './losses': 'src/losses/index.ts',
  './data': 'src/data/index.ts',
  './data/node': 'src/data/node.ts',
  './interop': 'src/interop/index.ts',
  './interop/node': 'src/interop/node.ts',
  './problem': 'src/problem/index.ts',
  './optim': 'src/optim/index.ts',
  './train': 'src/train/index.ts',
  './train/node': 'src/train/node.ts',
  './curvature': 'src/curvature/index.ts',
  './landscape': 'src/landscape/index.ts',
  './analysis': 'src/analysis/index.ts',
  './kernels': 'src/kernels/index.ts',
  './charts': 'src/charts/index.ts',
  './survey': 'src/survey/index.ts',
  './atlas': 'src/atlas/index.ts',
  './atlas/node': 'src/atlas/node.ts',
  './atlas/entries': 'atlas/registry.ts',
  './node': 'src/runtime/node.ts',
  './web': 'src/runtime/web.ts',
};

/** The subpaths that exist, with their source files. */
export function publicEntries(): [subpath: string, source: string][] {
  return Object.entries(entrySources).filter(([, source]) => existsSync(path.join(root, source)));
}

/** The `exports` of package.json that the entries ask for. */
export function exportMap(): Record<string, string | Record<string, string>> {
  const built = (source: string, extension: string): string => source.replace(/^src\//, './dist/').replace(/^atlas\//, './dist/entries/').replace(/\.ts$/, extension);
  const rows = publicEntries().map(([subpath, source]): [string, Record<string, string>] => [
    subpath,
    { [sourceCondition]: `./${source}`, types: built(source, '.d.ts'), default: built(source, '.js') },
  ]);
  return { ...Object.fromEntries(rows), './package.json': './package.json' };
}

/** One exported name. */
export interface PublicName {
  readonly subpath: string;
  readonly name: string;
  readonly kind: string;
  /** Where it is declared, relative to the root. */
  readonly declaredIn: string;
  readonly documented: boolean;
}

const kinds: readonly [flag: ts.SymbolFlags, kind: string][] = [
  [ts.SymbolFlags.Class, 'class'],
  [ts.SymbolFlags.Function, 'function'],
  [ts.SymbolFlags.Variable, 'const'],
  [ts.SymbolFlags.Interface, 'interface'],
  [ts.SymbolFlags.TypeAlias, 'type'],
  [ts.SymbolFlags.Module, 'namespace'],
];

/** Every name that a public subpath exports, sorted by subpath and name. */
export function publicNames(): PublicName[] {
  const configuration = path.join(root, 'tsconfig.json');
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(configuration, ts.sys.readFile).config, ts.sys, root);
  const entries = publicEntries();
  const program = ts.createProgram(entries.map(([, source]) => path.join(root, source)), options);
  const checker = program.getTypeChecker();
  return entries.flatMap(([subpath, source]) => {
    const file = program.getSourceFile(path.join(root, source));
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file);
    if (module === undefined) return []; // A file without exports is not a module.
    return checker.getExportsOfModule(module).map((exported): PublicName => {
      const symbol = (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported);
      const declaration = symbol.declarations?.[0];
      return {
        subpath,
        name: exported.name,
        kind: kinds.find(([flag]) => (symbol.flags & flag) !== 0)?.[1] ?? 'unresolved',
        declaredIn: declaration === undefined ? source : path.relative(root, declaration.getSourceFile().fileName),
        documented: isDocumented(symbol, checker),
      };
    });
  }).sort((a, b) => compare(a.subpath, b.subpath) || compare(a.name, b.name));
}

/** A comment at the name; or, for the shape of an options object, a comment at each member: one more would only repeat the name. */
function isDocumented(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  if (symbol.getDocumentationComment(checker).length > 0) return true;
  const members = (symbol.flags & ts.SymbolFlags.Interface) === 0 ? [] : [...(symbol.members?.values() ?? [])];
  return members.length > 0 && members.every((member) => member.getDocumentationComment(checker).length > 0);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The stored list: one line a name, `thalweg/ops softmax function`. */
export const apiList = (names: readonly PublicName[]): string =>
  names.map(({ subpath, name, kind }) => `thalweg${subpath.slice(1)} ${name} ${kind}\n`).join('');
