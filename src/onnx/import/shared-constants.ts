/** Arrays of one repeated number that an exporter stored once for several modules, or left out, as arrays of each. @module */
import { sameShape } from '../../core/ndarray.ts';
import type { ImportedNode, ImportedProgram, StoredTensor } from './graph.ts';

/** What arrays are called at the places of an operator, as PyTorch's modules call them. */
const AFFINE: readonly string[] = ['', 'weight', 'bias'];
const PLACES: Readonly<Record<string, readonly string[]>> = {
  BatchNormalization: [...AFFINE, 'running_mean', 'running_var'], LayerNormalization: AFFINE, GroupNormalization: AFFINE, InstanceNormalization: AFFINE, Conv: AFFINE, ConvTranspose: AFFINE, Gemm: AFFINE,
};
/** What an array is called elsewhere that has a name of statistics. */
const ELSEWHERE: Readonly<Record<string, string>> = { running_mean: 'bias', running_var: 'weight' };

/** An array at a place of a node, and what the module calls it there. */
interface Use { readonly node: ImportedNode; readonly place: number; readonly name: string }

/**
 * PyTorch's newer exporter, optimising, stores equal arrays once: before training, the zeros of all biases and the ones of all scales are one
 * array each, and so would be one parameter; and it leaves out biases of zeros in Gemm and Conv. It notes the module of each node, so that
 * every module is given its own array again. Uses in one module stay one, as where a module is applied twice. Arrays of different numbers that are
 * equal were one: tied weights.
 */
export function withoutSharedConstants(program: ImportedProgram): ImportedProgram {
  const { graph } = program;
  const made = new Map<string, StoredTensor>();
  const inputs = new Map<ImportedNode, string[]>();
  const give = ({ node, place, name }: Use, like: StoredTensor): void => {
    // Two arrays under one name could not be told apart: then they stay as they are.
    const other = made.get(name);
    if ((other !== undefined && !sameShape(other.shape, like.shape)) || graph.initialisers.has(name) || graph.inputs.some((input) => input.name === name)) return;
    made.set(name, { ...like, name, role: /running_(mean|var)$/.test(name) ? 'buffer' : 'parameter' });
    const own = inputs.get(node) ?? [...node.inputs];
    own[place] = name;
    inputs.set(node, own);
  };
  for (const [name, uses] of sharedConstants(program)) uses.forEach((use) => { give(use, graph.initialisers.get(name)!); });
  for (const node of graph.nodes) {
    const weight = graph.initialisers.get(node.inputs[1] ?? '');
    if (weight !== undefined && lostBias(node)) give({ node, place: 2, name: pathOf(node, 'bias') }, zeros(weight, outputsOf(node, weight.shape)));
  }
  if (made.size === 0) return program;
  const nodes = graph.nodes.map((node) => (inputs.has(node) ? { ...node, inputs: inputs.get(node)! } : node));
  return { ...program, graph: { ...graph, nodes, initialisers: new Map([...graph.initialisers, ...made]) } };
}

/** Uses of each array of one repeated number that modules share. */
function sharedConstants({ graph: { nodes, initialisers } }: ImportedProgram): Map<string, Use[]> {
  const uses = new Map<string, Use[]>();
  nodes.forEach((node) => { node.inputs.forEach((name, place) => {
    const role = initialisers.get(name)?.role;
    if (role === 'parameter' || role === 'buffer') uses.set(name, [...uses.get(name) ?? [], { node, place, name: nameAt(node, place, name) }]);
  }); });
  const captured = new Set(nodes.flatMap(({ captures }) => captures));
  return new Map([...uses].filter(([name, own]) => {
    if (captured.has(name) || own.some(({ node }) => node.origin === undefined) || new Set(own.map((use) => use.name)).size < 2) return false;
    const elements = initialisers.get(name)!.read();
    return elements.length > 0 && elements.every((x) => x === elements[0]);
  }));
}

/** The path of what the module of a node calls `last`: the parameter of such a name in the call, where the module applies several. */
function pathOf({ origin }: ImportedNode, last: string): string {
  const { module, call } = origin!;
  const prefix = module === '' ? '' : `${module}.`;
  const start = prefix.replaceAll('.', '_');
  const inside = [...call.matchAll(/%[pb]_(\w+)/g)].flatMap(([, name]) => (name.startsWith(start) && `_${name}`.endsWith(`_${last}`) ? [name.slice(start.length)] : []));
  return prefix + (inside.length === 1 ? inside[0].replace(/(?<!^in_proj)_(weight|bias|running_mean|running_var)$/, '.$1') : last);
}

function nameAt(node: ImportedNode, place: number, name: string): string {
  const last = name.slice(name.lastIndexOf('.') + 1);
  const called = Object.hasOwn(PLACES, node.operator) ? PLACES[node.operator][place] : undefined;
  return node.origin === undefined ? name : pathOf(node, called ?? ELSEWHERE[last] ?? last);
}

/** Whether the call had a bias and the node has none. */
const lostBias = ({ operator, inputs, origin }: ImportedNode): boolean =>
  (operator === 'Gemm' || operator === 'Conv') && (inputs[2] ?? '') === '' && origin?.rewrites.includes(`RemoveOptionalBiasFrom${operator}`) === true && !origin.rewrites.includes('FuseBatchNorm') && /%p_\w*bias\b/.test(origin.call);

const outputsOf = ({ operator, attributes }: ImportedNode, shape: readonly number[]): number => shape[operator === 'Conv' || attributes.get('transB')?.proto.i === 1n ? 0 : 1];

const zeros = ({ name, type }: StoredTensor, extent: number): StoredTensor => ({ name, type, shape: [extent], read: () => (type === 'double' ? new Float64Array(extent) : new Float32Array(extent)) });
