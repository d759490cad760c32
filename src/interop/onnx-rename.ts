/** Readable names for the nodes and values of an ONNX graph that the lowering has numbered. @module */
import type { GraphProto, NodeProto } from '../onnx/proto/onnx_pb.ts';

/** A module of the path of its array: `layers.0` of `layers.0.weight`. */
const moduleOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));

/** Gives names that are not taken yet. */
class Names {
  readonly #taken: Set<string>;
  readonly #counts = new Map<string, number>();

  constructor(taken: Iterable<string>) { this.#taken = new Set(taken); }

  /** The name itself, or with the first number that makes it new. */
  fresh(name: string): string {
    let count = this.#counts.get(name) ?? 0;
    let made = count === 0 ? name : `${name}_${count}`;
    while (this.#taken.has(made)) made = `${name}_${++count}`;
    this.#counts.set(name, count + 1);
    this.#taken.add(made);
    return made;
  }
}

/**
 * Renames in place: values of `fixed` get the names given; a node is called after the module whose array it takes, `/layers.0/Gemm`, else by
 * its operator, `/Tanh_2`; what it makes, after it. Names stay unique over nested graphs, which see those around them.
 */
export function renameGraph(graph: GraphProto, fixed: ReadonlyMap<string, string>): void {
  const names = new Names(fixed.values());
  const map = new Map(fixed);
  const modules = new Map([...fixed].map(([from, to]) => [from, moduleOf(to)]));
  renameIn(graph, { names, map, modules });
}

interface Renaming {
  readonly names: Names;
  readonly map: Map<string, string>;
  /** Modules by the former names of their arrays. */
  readonly modules: ReadonlyMap<string, string>;
}

function renameIn(graph: GraphProto, { names, map, modules }: Renaming): void {
  const renamed = (name: string): string => (name === '' ? name : map.get(name) ?? name);
  const declare = (name: string, wanted: string): void => { if (!map.has(name)) map.set(name, names.fresh(wanted)); };
  graph.initializer.forEach(({ name }) => { declare(name, 'Constant'); });
  graph.input.forEach(({ name }) => { declare(name, 'argument'); });
  const called = graph.node.map((node) => names.fresh(nodeName(node, modules)));
  graph.node.forEach(({ output }, i) => { output.forEach((name, k) => { if (name !== '') declare(name, `${called[i]}_output_${k}`); }); });
  graph.node.forEach((node, i) => {
    node.name = called[i];
    node.attribute.forEach(({ g }) => { if (g !== undefined) renameIn(g, { names, map, modules }); });
    node.input = node.input.map(renamed);
    node.output = node.output.map(renamed);
  });
  for (const value of [...graph.initializer, ...graph.input, ...graph.output, ...graph.valueInfo]) value.name = renamed(value.name);
}

function nodeName({ opType, input }: NodeProto, modules: ReadonlyMap<string, string>): string {
  const module = input.map((name) => modules.get(name) ?? '').find((name) => name !== '');
  return module === undefined ? `/${opType}` : `/${module}/${opType}`;
}
