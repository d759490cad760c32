/** Where a model ends and its loss begins: the value of a graph that everything from data to loss passes through. @module */
import { classifyInitialisers, isFloatType, nodesFor, type DeclaredValue, type ImportedNode, type ImportedProgram, type OnnxType } from '../onnx/import/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { describeDeclared } from './onnx-inputs.ts';

/** A loss inside a model, found. */
export interface LossCut {
  /** The input that takes the targets. */
  readonly target: DeclaredValue;
  /** The output that is the loss. */
  readonly loss: string;
  /** The value where the model ends. */
  readonly outputs: string;
}

/** What the user says of it; anything else is found. */
export interface LossCutOptions {
  /** The input that takes the targets. Default: the one called target, targets, label, labels or y. */
  readonly target?: string;
  /** The output that is the loss. Default: the only one that depends on the targets, or the one called loss. */
  readonly name?: string;
}

const refuse = (required: string, received: string, remedy?: string): never => { throw new ArgumentError({ operation: 'importOnnx', required, received, remedy }); };

/** Shapes are known without the values: what only they are taken of is not used. */
const isShapeOnly = ({ domain, operator }: ImportedNode): boolean => domain === '' && (operator === 'Shape' || operator === 'Size');

interface Reach {
  /** A value that nothing passes through. */
  readonly without?: string;
  /** Whether what is made of a value's shape counts. */
  readonly byShape?: boolean;
}

/** Names that the sources' values flow into. */
function reached(nodes: readonly ImportedNode[], sources: Iterable<string>, { without, byShape = false }: Reach = {}): Set<string> {
  const names = new Set(sources);
  if (without !== undefined) names.delete(without);
  for (const node of nodes) {
    if ((!byShape && isShapeOnly(node)) || ![...node.inputs, ...node.captures].some((name) => names.has(name))) continue;
    node.outputs.forEach((name) => { if (name !== '' && name !== without) names.add(name); });
  }
  return names;
}

/** Whether an input is called as targets usually are. */
export const isUsualTarget = ({ name }: DeclaredValue): boolean => /^(targets?|labels?|ys?|y_true)$/i.test(name);

/** The input that takes the targets. @throws ArgumentError when the name is none of an input, or nothing tells which it is. */
export function targetInput({ graph: { inputs } }: ImportedProgram, name: string | undefined, others: ReadonlySet<string>): DeclaredValue {
  const open = inputs.filter((input) => !others.has(input.name));
  const found = name === undefined ? open.filter(isUsualTarget) : open.filter((input) => input.name === name);
  if (found.length === 1) return found[0];
  // The other of two is meant where one is said to be the data.
  if (name === undefined && found.length === 0 && open.length === 1) return open[0];
  return refuse(name === undefined ? 'one input of a model with its loss must take the targets' : 'option target must name an input other than the data', `${name === undefined ? '' : `'${name}'; it has `}${inputs.map(describeDeclared).join(', ') || 'none'}`, name === undefined ? 'name it by option target' : undefined);
}

/** The output that is the loss. */
function lossOutput({ graph }: ImportedProgram, target: DeclaredValue, name: string | undefined): string {
  const depending = reached(graph.nodes, [target.name]);
  const outputs = graph.outputs.filter((output) => depending.has(output.name) && (output.type === undefined || isFloatType(output.type as OnnxType)));
  const list = graph.outputs.map(describeDeclared).join(', ');
  if (name !== undefined) {
    if (!outputs.some((output) => output.name === name)) refuse(`the loss must be a floating-point output that depends on '${target.name}'`, `'${name}'; the outputs are ${list}`);
    return name;
  }
  if (outputs.length === 0) refuse(`some floating-point output must depend on the targets '${target.name}'`, list || 'no outputs');
  const [only, ...others] = outputs;
  if (others.length === 0) return only.name;
  const called = outputs.find((output) => output.name === 'loss');
  return called?.name ?? refuse(`one output must be the loss; several depend on '${target.name}'`, outputs.map(describeDeclared).join(', '), 'name it: --loss inside:NAME, or option name');
}

const PROBABILITIES = new Set(['Softmax', 'Sigmoid']);
/** Operators that are moved behind the cut, so that outputs are scores; with them reshapes, which may join examples, and logarithms of probabilities. */
const BEHIND = new Set([...PROBABILITIES, 'LogSoftmax', 'Identity', 'Cast']);

/**
 * Finds the cut. `output` names it; otherwise it is the last value that everything passes through, or an output of the model that is no
 * earlier but for arithmetic without weights; from there back over softmax, sigmoid, logarithm and reshape, so that the curvature of the loss in the outputs is that in scores.
 * @throws ArgumentError when several values cross from the model into the loss, or target and loss cannot be told.
 */
export function lossCut(program: ImportedProgram, data: DeclaredValue, target: DeclaredValue, { name }: LossCutOptions, output?: string): LossCut {
  const loss = lossOutput(program, target, name);
  const { nodes: all, outputs: declared } = program.graph;
  const nodes = nodesFor(all, [loss]);
  const [ofData, ofTarget] = [reached(nodes, [data.name]), reached(nodes, [target.name], { byShape: true })];
  if (!ofData.has(loss)) refuse(`the loss '${loss}' must depend on the data '${data.name}'`, `it does on '${target.name}' alone`);
  const isCut = (value: string): boolean => ofData.has(value) && !ofTarget.has(value) && value !== data.name && !reached(nodes, [data.name], { without: value }).has(loss);
  const crossing = (): string => [...new Set(nodes.filter((node) => !isShapeOnly(node) && node.outputs.some((made) => ofTarget.has(made))).flatMap(({ inputs, captures }) => [...inputs, ...captures]))]
    .filter((value) => ofData.has(value) && !ofTarget.has(value)).map((value) => `'${value}'`).join(', ');
  if (output !== undefined) {
    if (!isCut(output)) refuse(`everything between data and loss must pass through '${output}'`, `the values ${crossing()} cross into the loss`);
    return { target, loss, outputs: output };
  }
  const made = nodes.toReversed().flatMap((node) => node.outputs);
  const last = made.find(isCut) ?? refuse('one value must cross from the model into the loss', `several: ${crossing()}`, 'export model and loss so that the loss takes the outputs alone');
  // What the model calls an output is taken, unless arrays that could be trained lie between it and the loss.
  const constants = (value: string): number => classifyInitialisers(headOf(program, loss, value), [loss]).parameters.length;
  const own = made.find((value) => isCut(value) && declared.some((candidate) => candidate.name === value && hasBatch(candidate, data, nodes)) && constants(value) === constants(last));
  let outputs = own ?? last;
  const makerOf = (value: string): ImportedNode | undefined => nodes.find((node) => node.outputs.includes(value));
  const isBehind = ({ domain, operator, inputs: [before] }: ImportedNode): boolean => domain === '' && isCut(before)
    && (operator === 'Log' ? PROBABILITIES.has(makerOf(before)?.operator ?? '') : operator === 'Reshape' ? outputs !== own : BEHIND.has(operator));
  for (let maker = makerOf(outputs); maker !== undefined && isBehind(maker); maker = makerOf(outputs)) [outputs] = maker.inputs;
  return { target, loss, outputs };
}

/** Whether a declared output has an axis of examples: a reshape may have joined it with others. */
function hasBatch({ name, shape }: DeclaredValue, data: DeclaredValue, nodes: readonly ImportedNode[]): boolean {
  const maker = nodes.find((node) => node.outputs.includes(name));
  return maker?.operator !== 'Reshape' || (shape !== undefined && shape[0] !== undefined && shape[0] === data.shape?.[0]);
}

/** The program whose nodes lead from a value, which is to be fed, to the loss. */
function headOf(program: ImportedProgram, loss: string, value: string): ImportedProgram {
  const { graph } = program;
  const nodes = graph.nodes.map((node) => (node.outputs.includes(value) ? { ...node, outputs: node.outputs.map((name) => (name === value ? '' : name)) } : node));
  return { ...program, graph: { ...graph, nodes: nodesFor(nodes, [loss]) } };
}

/**
 * The program from the cut to the loss: its inputs are the model's, and the cut value is to be fed. What else of the data it needs are
 * shapes. `owned` are the parameters and running statistics of the model.
 * @throws ArgumentError when the loss takes parameters of the model past its outputs, as a penalty on weights does.
 */
export function lossProgram(program: ImportedProgram, { loss, outputs }: LossCut, owned: readonly string[]): ImportedProgram {
  const head = headOf(program, loss, outputs);
  const direct = owned.filter((name) => reached(head.graph.nodes, [name]).has(loss));
  if (direct.length > 0) refuse(`the loss may depend on parameters through the outputs '${outputs}' alone`, `it takes ${direct.map((name) => `'${name}'`).join(', ')} as well`, 'export the loss without penalties on weights');
  return head;
}
