/** Initialisers as the module had them: undone is what exporters do to arrays on the way to a file. @module */
import { sameShape, sizeOf } from '../../core/ndarray.ts';
import { ArgumentError } from '../../util/errors.ts';
import { isFloatType, isHeldType, typeName } from './element-types.ts';
import type { ImportedNode, ImportedProgram, StoredTensor } from './graph.ts';
import { withoutSharedConstants } from './shared-constants.ts';
import { storedTensor, type ReadExternal } from './stored-tensor.ts';

/**
 * PyTorch's older exporter stores equal arrays once and copies them by Identity: the zeros of a fresh bias and of a running mean. An array
 * of one repeated number behind an Identity therefore becomes an initialiser of its own, under the name of the copy, which is that of the
 * module's. Arrays of different numbers that are equal were one array: tied weights, which stay tied.
 *
 * Other exporters write weights as Constant nodes. Floating-point arrays of several elements in such nodes become initialisers too, with
 * the role `constant`.
 */
export function normaliseInitialisers(joined: ImportedProgram, readExternal?: ReadExternal): ImportedProgram {
  const program = withoutSharedConstants(joined);
  const { graph } = program;
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const made = new Map<string, StoredTensor>();
  const nodes = graph.nodes.filter((node) => {
    const [name] = node.outputs;
    if (node.domain !== '' || outputs.has(name)) return true;
    const stored = node.operator === 'Identity' ? copyOf(graph.initialisers.get(node.inputs[0]) ?? made.get(node.inputs[0])) : constantOf(node, readExternal);
    if (stored === undefined) return true;
    made.set(name, { ...stored, name });
    return false;
  });
  return made.size === 0 ? program : { ...program, graph: { ...graph, nodes, initialisers: new Map([...graph.initialisers, ...made]) } };
}

/**
 * Weights that are one: `tied` maps the name of an initialiser to that of the one it is to share, as it is or, for matrices, transposed.
 * PyTorch's newer exporter writes tied weights twice, one of them transposed where a product takes it so.
 * @throws ArgumentError when a name is none of a floating-point initialiser, or the elements differ.
 */
export function tieInitialisers(program: ImportedProgram, tied: Readonly<Record<string, string>>): ImportedProgram {
  const entries = Object.entries(tied);
  if (entries.length === 0) return program;
  const { graph } = program;
  const arrayNamed = (name: string, isTarget: boolean): StoredTensor => {
    const stored = graph.initialisers.get(name);
    if (stored === undefined || !isFloatType(stored.type) || (isTarget && Object.hasOwn(tied, name))) {
      throw new ArgumentError({ operation: 'importOnnx', required: 'option tied must map floating-point arrays of the model to others that are not mapped themselves', received: `'${name}'` });
    }
    return stored;
  };
  const nodes = entries.map(([name, target]): ImportedNode => {
    const [own, other] = [arrayNamed(name, false), arrayNamed(target, true)];
    const relation = relationOf(own, other);
    if (relation === undefined) throw new ArgumentError({ operation: 'importOnnx', required: `tied arrays must be equal, or one the other's transpose; '${target}' is ${other.type}[${other.shape.join(',')}]`, received: `'${name}' ${own.type}[${own.shape.join(',')}]` });
    return { name: `tied ${name}`, operator: relation, domain: '', overload: '', inputs: [target], outputs: [name], attributes: new Map(), captures: [] };
  });
  const initialisers = new Map([...graph.initialisers].filter(([name]) => !Object.hasOwn(tied, name)));
  return { ...program, graph: { ...graph, initialisers, nodes: [...nodes, ...graph.nodes] } };
}

/** The operator that makes one array of the other, where one does. */
function relationOf(own: StoredTensor, other: StoredTensor): 'Identity' | 'Transpose' | undefined {
  if (own.type !== other.type || sizeOf(own.shape) !== sizeOf(other.shape)) return undefined;
  const [a, b] = [own.read(), other.read()];
  if (sameShape(own.shape, other.shape) && a.every((x, i) => x === b[i])) return 'Identity';
  const [rows, columns] = own.shape;
  const isTransposed = own.shape.length === 2 && sameShape(other.shape, [columns, rows]) && a.every((x, i) => x === b[(i % columns) * rows + Math.floor(i / columns)]);
  return isTransposed ? 'Transpose' : undefined;
}

/**
 * Pairs of parameters that are equal or transposes, not all of one number: written twice by the exporter, or copies that were
 * not trained yet.
 */
export function equalInitialisers(program: ImportedProgram, names: readonly string[]): [string, string][] {
  const seen = new Map<string, StoredTensor[]>();
  const pairs: [string, string][] = [];
  for (const name of names) {
    const stored = program.graph.initialisers.get(name)!;
    const elements = stored.read();
    if (elements.every((x) => x === elements[0])) continue;
    // First and last elements stay where they are when a matrix is transposed.
    const key = `${stored.type} ${elements.length} ${elements[0]} ${elements[elements.length - 1]}`;
    const others = seen.get(key) ?? [];
    const twin = others.find((other) => relationOf(stored, other) !== undefined);
    if (twin === undefined) seen.set(key, [...others, stored]);
    else pairs.push([name, twin.name]);
  }
  return pairs;
}

function copyOf(stored: StoredTensor | undefined): StoredTensor | undefined {
  if (stored === undefined || !isFloatType(stored.type)) return undefined;
  const elements = stored.read();
  return elements.length > 0 && elements.every((x) => x === elements[0]) ? stored : undefined;
}

function constantOf({ operator, attributes, outputs: [name] }: ImportedNode, readExternal: ReadExternal | undefined): StoredTensor | undefined {
  const tensor = operator === 'Constant' ? attributes.get('value')?.proto.t : undefined;
  if (tensor === undefined) return undefined;
  const type = typeName(tensor.dataType);
  if (!isHeldType(type) || !isFloatType(type)) return undefined;
  const stored = storedTensor(tensor, `of the constant '${name}'`, readExternal);
  return sizeOf(stored.shape) > 1 ? { ...stored, role: 'constant' } : undefined;
}
