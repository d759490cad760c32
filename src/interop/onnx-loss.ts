/** Losses as ONNX graphs: the part of a model behind its outputs, or a file of its own; made losses of single examples. @module */
import { evaluate } from '../core/evaluate.ts';
import { Graph } from '../core/graph.ts';
import { isFloat, NDArray, sizeOf, type DType, type Shape } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Loss } from '../losses/index.ts';
import {
  classifyInitialisers, isFloatType, nodesFor, normaliseInitialisers, parseOnnx, runProgram, unsupportedOperators, Value,
  type DeclaredValue, type ImportedProgram, type OnnxType, type ReadExternal,
} from '../onnx/import/index.ts';
import { constant, reshape } from '../ops/index.ts';
import { vmap } from '../transforms/index.ts';
import { ArgumentError, DataError } from '../util/errors.ts';
import { bindDimensions, describeDeclared, extentsOf, fixedArray, requireValues } from './onnx-inputs.ts';
import { isUsualTarget, targetInput } from './onnx-loss-cut.ts';
import { asDeclared, engineTypeOf } from './onnx-trace.ts';

/** A loss from a file. */
export interface ImportedLoss {
  /** One number an example, of outputs and targets of a batch. It is checked against the loss of a batch of two when it is first traced. */
  readonly loss: Loss;
  /** The input that takes the targets. */
  readonly target: DeclaredValue;
  /** The value that takes the model's outputs: an input of the file, or where the graph was cut. */
  readonly outputs: string;
  /** Name of the output that is the loss. */
  readonly name: string;
  /** Remarks for the user; tracing adds to them. */
  readonly notices: readonly string[];
}

/** Options of `importLoss`. */
export interface OnnxLossOptions {
  /** Name in messages. Default `in memory`. */
  readonly name?: string;
  /** The input that takes the targets. Default: the one called target, targets, label, labels or y, else the second. */
  readonly target?: string;
  /** Values of inputs other than outputs and targets. */
  readonly values?: Readonly<Record<string, number | NDArray>>;
  /** Extents of named dimensions that outputs and targets do not determine. */
  readonly dimensions?: Readonly<Record<string, number>>;
  /** Reads arrays that lie in other files. */
  readonly readExternal?: ReadExternal;
}

/** A graph from outputs and targets to a loss. */
export interface LossHead {
  readonly program: ImportedProgram;
  /** The value that is fed with outputs, and its type. */
  readonly outputs: string;
  readonly type: OnnxType;
  readonly target: DeclaredValue;
  readonly loss: string;
  /** The data of the model, of which only shapes are needed. */
  readonly data?: DeclaredValue;
  readonly values: Readonly<Record<string, number | NDArray>>;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly readExternal: ReadExternal | undefined;
  notice(text: string): void;
}

/**
 * Reads a loss: an ONNX model whose inputs are outputs and targets of a batch and whose first output is their loss: a mean or sum over
 * the batch, or one number an example. Floating-point arrays of the file are constants; a notice names them.
 * @throws DataError when the file is malformed; ArgumentError when operators are unknown or inputs are not two.
 */
export function importLoss(bytes: Uint8Array, { name = 'in memory', target: targetName, values = {}, dimensions = {}, readExternal }: OnnxLossOptions = {}): ImportedLoss {
  const program = normaliseInitialisers(parseOnnx(bytes, { name, ...(readExternal && { readExternal }) }), readExternal);
  const { inputs, outputs: [output] } = program.graph;
  const open = inputs.filter((input) => !Object.hasOwn(values, input.name));
  const refuse = (required: string, received: string): never => { throw new ArgumentError({ operation: `loss ${name}`, required, received }); };
  if (open.length !== 2) refuse('a loss must have two inputs, outputs and targets', inputs.map(describeDeclared).join(', ') || 'none');
  if (output?.type !== undefined && !isFloatType(output.type as OnnxType)) refuse('its first output must be floating-point', describeDeclared(output));
  const target = targetName === undefined ? open.find(isUsualTarget) ?? open[1] : targetInput(program, targetName, new Set(Object.keys(values)));
  const scores = open.find((input) => input !== target)!;
  requireValues(program, [scores, target], values);
  const notices: string[] = [];
  const type = scores.type ?? 'float';
  if (!isFloatType(type as OnnxType)) refuse('outputs must be floating-point', describeDeclared(scores));
  return lossOfHead({ program, outputs: scores.name, type: type as OnnxType, target, loss: output.name, values, dimensions, readExternal, notice: noticeInto(notices) }, name, notices);
}

const noticeInto = (notices: string[]) => (text: string): void => { if (!notices.includes(text)) notices.push(text); };

/** The loss of a graph, checked as far as it can be without data. @throws ArgumentError when operators are unknown, or its mean is weighted by class. */
export function lossOfHead(head: LossHead, name: string, notices: readonly string[]): ImportedLoss {
  const { program, target, outputs, loss } = head;
  const unsupported = unsupportedOperators(program, [loss]);
  if (unsupported.length > 0) throw new ArgumentError({ operation: `loss of ${name}`, required: 'every operator that the loss needs must be one that is read', received: unsupported.join(', ') });
  requireUnweighted(head);
  const constants = classifyInitialisers(program, [loss]).parameters.map((row) => `'${row.name}'`);
  if (constants.length > 0) head.notice(`the loss takes ${constants.join(', ')}: taken for constants, not trained`);
  const checked = new Set<string>();
  return {
    target, outputs, name: loss, notices,
    loss(scores, targets) {
      const signature = `${scores} ${targets}`;
      if (!checked.has(signature)) {
        checked.add(signature);
        checkBatch(head, scores, targets);
      }
      return vmap((score: Tensor, label: Tensor) => reshape(single(head, applyHead(head, oneMore(score), oneMore(label))), []))(scores, targets);
    },
  };
}

const oneMore = (tensor: Tensor): Tensor => reshape(tensor, [1, ...tensor.shape]);

const LIKELIHOODS = new Set(['SoftmaxCrossEntropyLoss', 'NegativeLogLikelihoodLoss']);

/** The weight of an example cancels in the mean over it alone. */
function requireUnweighted({ program, loss }: LossHead): void {
  const weighted = nodesFor(program.graph.nodes, [loss]).find(({ domain, operator, inputs, attributes }) =>
    domain === '' && LIKELIHOODS.has(operator) && (inputs[2] ?? '') !== '' && new TextDecoder().decode(attributes.get('reduction')?.proto.s ?? new TextEncoder().encode('mean')) === 'mean');
  if (weighted !== undefined) {
    throw new ArgumentError({
      operation: `ONNX node '${weighted.name}' (${weighted.operator})`, required: 'a loss that is a mean weighted by class must not be divided by the weights of the batch, which examples do not have by themselves', received: "reduction 'mean' with weights",
      remedy: "export the loss with reduction='none' or 'sum', which measures the sum of weighted losses over the number of examples",
    });
  }
}

/** The loss of a batch, as the graph has it. */
function applyHead({ program, outputs, type, target, loss, data, values, dimensions, readExternal, notice }: LossHead, scores: Tensor, targets: Tensor): Tensor {
  const float = scores.dtype;
  const batch = scores.shape[0];
  const fitted = fittedTargets(target, targets);
  const bound = bindDimensions(target, fitted.shape, 0, dimensions);
  const feeds = new Map([[outputs, Value.ofTensor(type, scores)], [target.name, asDeclared(target, fitted, float)]]);
  const declared = program.graph.inputs.find(({ name }) => name === outputs);
  if (declared !== undefined) bindDimensions(declared, scores.shape, 0, {}).forEach((extent, name) => bound.set(name, extent));
  const read = new Set(nodesFor(program.graph.nodes, [loss]).flatMap((node) => [...node.inputs, ...node.captures]));
  for (const input of program.graph.inputs) {
    if (feeds.has(input.name) || !read.has(input.name)) continue;
    // Of the data nothing but shapes is read here: zeros stand in.
    const isData = input.name === data?.name;
    const like = isData && input.shape !== undefined ? { ...input, shape: [batch, ...input.shape.slice(1)] } : input;
    const array = fixedArray(isData ? 0 : values[input.name], () => extentsOf(like, bound), engineTypeOf(input, float));
    feeds.set(input.name, isData ? Value.ofTensor((input.type ?? 'float') as OnnxType, constant(array)) : Value.ofKnown((input.type ?? 'float') as OnnxType, array.shape, array.data));
  }
  const [value] = runProgram(program, {
    feeds, outputs: [loss], readExternal,
    settings: { float, mode: 'eval', batchNormalisation: 'eval', noise: () => undefined, notice: (text) => { notice(text); }, keepStatistic: () => undefined },
  });
  if (!value.isFloat) throw new DataError({ operation: 'importOnnx', required: `the loss '${loss}' must be floating-point`, received: value.toString() });
  return value.tensor(float);
}

/** The loss of one example. @throws DataError when it is more than one number. */
function single({ loss }: LossHead, value: Tensor): Tensor {
  if (sizeOf(value.shape) !== 1) throw new DataError({ operation: 'importOnnx', required: `the loss '${loss}' of one example must be one number`, received: `[${value.shape.join(',')}]`, remedy: 'take means over all axes but the batch' });
  return value;
}

/** Targets with a last axis of extent one added, or taken off, where the declaration has it so. */
function fittedTargets({ shape: declared }: DeclaredValue, targets: Tensor): Tensor {
  const { shape } = targets;
  if (declared === undefined) return targets;
  if (declared.length === shape.length + 1 && declared[declared.length - 1] === 1) return reshape(targets, [...shape, 1]);
  return declared.length === shape.length - 1 && shape[shape.length - 1] === 1 ? reshape(targets, shape.slice(0, -1)) : targets;
}

/** Larger outputs are not tried on the host. */
const MOST_TRIED = 1 << 18;
/** Relative difference of a batch and its examples that rounding explains. */
const ROUNDING = 1e-4;

/** A batch of two against its examples, on numbers made up: whether the loss of a batch is what its examples are averaged to. */
function checkBatch(head: LossHead, scores: Tensor, targets: Tensor): void {
  const { loss, target, notice } = head;
  const fixed = target.shape?.[0];
  if (typeof fixed === 'number' && fixed !== 1) throw new DataError({ operation: 'importOnnx', required: `the batch of '${target.name}' must be open, or of one example`, received: describeDeclared(target), remedy: 'export model and loss with a dynamic batch' });
  if (fixed === 1) return;
  const unchecked = (why: string): void => notice(`whether the loss '${loss}' of a batch is the mean of its examples' was not tried: ${why}`);
  const [ofScores, ofTargets] = [scores.shape.slice(1), targets.shape.slice(1)];
  if (sizeOf(ofScores) > MOST_TRIED) return unchecked(`outputs of ${sizeOf(ofScores).toLocaleString('en')} numbers an example`);
  const made = (batch: number, from: number): Tensor => {
    const at = (shape: Shape, dtype: DType, element: (i: number) => number): Tensor => {
      const length = batch * sizeOf(shape);
      const values = Float64Array.from({ length }, (_, i) => element(i + from * sizeOf(shape)));
      return constant(new NDArray(isFloat(dtype) ? (dtype === 'float64' ? values : Float32Array.from(values)) : Int32Array.from(values), [batch, ...shape], isFloat(dtype) ? dtype : 'int32'));
    };
    const per = sizeOf(ofTargets);
    return applyHead(head, at(ofScores, scores.dtype, (i) => 0.5 + 0.4 * Math.sin(3 * i + 1)), at(ofTargets, targets.dtype, (i) => (isFloat(targets.dtype) ? 0.5 + 0.3 * Math.cos(2 * i) : Math.floor(i / per) % 2)));
  };
  let computed: NDArray[];
  try {
    computed = evaluate(new Graph([], [made(2, 0), made(1, 0), made(1, 1)]), []);
  } catch (error) {
    return unchecked((error as Error).message.split('\n')[0]);
  }
  const [both, ...each] = computed.map(({ data }) => Array.from(data));
  // One number each: what more there is is refused where it is used.
  if (each.some(({ length }) => length !== 1)) return;
  const [[a], [b]] = each;
  if (![...both, a, b].every(Number.isFinite)) return unchecked('it is not finite on numbers between zero and one');
  const isNear = (x: number, y: number): boolean => Math.abs(x - y) <= ROUNDING * Math.max(1e-3, Math.abs(a), Math.abs(b));
  if (both.length === 2 ? isNear(both[0], a) && isNear(both[1], b) : both.length === 1 && isNear(both[0], (a + b) / 2)) return;
  if (both.length === 1 && isNear(both[0], a + b)) return notice(`the loss '${loss}' is a sum over the batch: measured is its mean over examples`);
  throw new DataError({ operation: 'importOnnx', required: `the loss '${loss}' of a batch must be the mean or the sum of the losses of its examples`, received: `${both.join(', ')} of two examples, ${a} and ${b} of each alone`, remedy: "export it with reduction='none', one number an example" });
}
