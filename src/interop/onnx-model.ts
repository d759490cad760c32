/** ONNX files as models: parameters, state and a traced function, like models written here. @module */
import type { NDArray } from '../core/ndarray.ts';
import type { AnyModel } from '../nn/model.ts';
import {
  classifyInitialisers, equalInitialisers, exporterRemark, nonDifferentiableNodes, normaliseInitialisers, parseOnnx, tieInitialisers, unsupportedOperators,
  type BatchNormalisation, type DeclaredValue, type FrozenArray, type ImportedParameter, type NotDifferentiable, type ReadExternal,
} from '../onnx/import/index.ts';
import { ArgumentError } from '../util/errors.ts';
import { chosenOutput, dataInput, requireValues, type ChosenOutput } from './onnx-inputs.ts';
import { lossCut, lossProgram, targetInput, type LossCutOptions } from './onnx-loss-cut.ts';
import { lossOfHead, type ImportedLoss } from './onnx-loss.ts';
import { tracedModel, type TracedProgram } from './onnx-trace.ts';

/** Options of `importOnnx`. */
export interface OnnxImportOptions {
  /** Name in messages and of the model. Default `in memory`. */
  readonly name?: string;
  /** The input that takes the data. Default: the only one without a value. */
  readonly input?: string;
  /** The value that is looked at: an output, or any other of the main graph. Default: the first floating-point output, before a final softmax or sigmoid. */
  readonly output?: string;
  /** The model contains its loss: it is cut where values begin to depend on targets. `{}` where names need not be told. Option `output` then names the cut. */
  readonly lossInside?: LossCutOptions;
  /** Values of the other inputs: one number for all elements, or an array. */
  readonly values?: Readonly<Record<string, number | NDArray>>;
  /** Extents of named dimensions that the data do not determine. */
  readonly dimensions?: Readonly<Record<string, number>>;
  /** What is trained, beside the default: `+PATTERN` trains, `-PATTERN` freezes, `*` stands for anything; later entries win. */
  readonly params?: readonly string[];
  /** Weights that are one, as `{ 'head.weight': 'tokens.weight' }`: the first takes the value of the second. PyTorch's newer exporter writes them twice; a notice names pairs. */
  readonly tied?: Readonly<Record<string, string>>;
  /** Axis of the batch in the data input and in the output. Default 0. */
  readonly batchAxis?: number;
  /** In eval mode, batch normalisation by the kept statistics (`eval`, default) or by those of the batch at hand (`batch`). */
  readonly batchNormalisation?: BatchNormalisation;
  /** Type of the parameters. Default: float64 where the model has double parameters, else float32. */
  readonly dtype?: 'float32' | 'float64';
  /** Reads weights that lie in other files. */
  readonly readExternal?: ReadExternal;
}

/** A node with parameters. */
export interface ImportedLayer {
  /** `/fc/Gemm (Gemm)` */
  readonly node: string;
  readonly parameters: readonly string[];
}

/** A model from a file, and what was made of it. */
export interface ImportedModel {
  /** Parameters and state are flat records by the file's names; `init` returns the file's values whatever the key. */
  readonly model: AnyModel;
  readonly inputs: readonly DeclaredValue[];
  readonly outputs: readonly DeclaredValue[];
  /** The input that takes the data. */
  readonly input: DeclaredValue;
  /** Name of the value that is looked at. */
  readonly output: string;
  readonly parameters: readonly ImportedParameter[];
  /** Floating-point arrays that are not trained, with the reason. */
  readonly frozen: readonly FrozenArray[];
  /** Names of running statistics, which are the state. */
  readonly statistics: readonly string[];
  readonly layers: readonly ImportedLayer[];
  /** Nodes that derivatives do not pass as they are. */
  readonly notDifferentiable: readonly NotDifferentiable[];
  /** The loss that belongs to an activation left off the end. */
  readonly loss?: 'cross-entropy' | 'binary-cross-entropy';
  /** The loss inside the model, where it was asked for. */
  readonly ownLoss?: ImportedLoss;
  /** What wrote the file. */
  readonly producer: string;
  /** Remarks for the user. */
  readonly notices: readonly string[];
}

/**
 * Reads an ONNX model. Its arithmetic is traced as that of any model: gradients, Hessian-vector products, kernels and training work on it,
 * in float32 or, where parameters and data are float64, in float64. Shapes are those of the data; a model that was exported for a fixed
 * batch is applied to one batch of that size after another.
 * @throws DataError when the file is malformed; ArgumentError when operators are unknown (all of them are listed) or options do not fit.
 */
export function importOnnx(bytes: Uint8Array, options: OnnxImportOptions = {}): ImportedModel {
  const { name = 'in memory', values = {}, lossInside, readExternal } = options;
  const parsed = parseOnnx(bytes, { name, ...(readExternal && { readExternal }) });
  const whole = tieInitialisers(normaliseInitialisers(parsed, readExternal), options.tied ?? {});
  const given = Object.keys(values);
  const target = lossInside && targetInput(whole, lossInside.target, new Set([...given, ...(options.input === undefined ? [] : [options.input])]));
  const input = dataInput(whole, options.input, new Set([...given, ...(target ? [target.name] : [])]));
  requireValues(whole, target ? [input, target] : [input], values);
  const cut = target && lossCut(whole, input, target, lossInside, options.output);
  const chosen: ChosenOutput = cut === undefined ? chosenOutput(whole, options.output) : { name: cut.outputs, notice: `the model ends at '${cut.outputs}', from which its own loss '${cut.loss}' is taken with the targets '${cut.target.name}'` };
  const program = target ? { ...whole, graph: { ...whole.graph, inputs: whole.graph.inputs.filter((other) => other !== target) } } : whole;
  const unsupported = unsupportedOperators(program, [chosen.name]);
  if (unsupported.length > 0) throw new ArgumentError({ operation: `ONNX file ${name}`, required: 'every operator that the output needs must be one that is read', received: unsupported.join(', '), remedy: 'export with another opset_version, or take an earlier value by option output' });
  const found = classifyInitialisers(program, [chosen.name], options.params);
  // Records put keys that look like integers first, and so do the parameters' coordinates: the table follows.
  const order = Object.keys(Object.fromEntries(found.parameters.map((row) => [row.name, 0])));
  const classified = { ...found, parameters: found.parameters.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name)) };
  const notices = chosen.notice === undefined ? [] : [chosen.notice];
  const remark = exporterRemark(program, classified);
  if (remark !== undefined) notices.push(remark);
  for (const [second, first] of equalInitialisers(program, classified.parameters.map((row) => row.name))) {
    notices.push(`'${second}' has the elements of '${first}', perhaps transposed: if they are one weight, say so by option tied: { '${second}': '${first}' }`);
  }
  const layers = new Map<string, string[]>();
  for (const { use, name: parameter } of classified.parameters) layers.set(use, [...layers.get(use) ?? [], parameter]);
  const traced: TracedProgram = {
    program, input, output: chosen.name, values, readExternal,
    parameters: classified.parameters.map((row) => row.name), statistics: classified.statistics,
    batchAxis: options.batchAxis ?? 0, dimensions: options.dimensions ?? {}, batchNormalisation: options.batchNormalisation ?? 'eval',
    notice: (text) => { if (!notices.includes(text)) notices.push(text); },
  };
  const head = cut && lossProgram(whole, cut, [...traced.parameters, ...traced.statistics]);
  const ownLoss = cut && lossOfHead({
    program: head!, outputs: cut.outputs, type: classified.parameters[0]?.type ?? 'float', target: cut.target, loss: cut.loss, data: input,
    values, dimensions: traced.dimensions, readExternal, notice: traced.notice,
  }, name, notices);
  if (ownLoss !== undefined && traced.batchAxis !== 0) throw new ArgumentError({ operation: 'importOnnx', required: 'the batch of a model with its loss must be axis 0', received: `batchAxis ${traced.batchAxis}` });
  return {
    model: tracedModel(name, traced, options.dtype),
    inputs: whole.graph.inputs, outputs: program.graph.outputs, input, output: chosen.name, ...classified, notices, producer: program.producer,
    layers: [...layers].map(([node, parameters]) => ({ node, parameters })),
    notDifferentiable: [...nonDifferentiableNodes(program, [input.name, ...traced.parameters], [chosen.name]), ...(cut ? nonDifferentiableNodes(head!, [cut.outputs], [cut.loss]) : [])],
    ...(chosen.loss && { loss: chosen.loss }), ...(ownLoss && { ownLoss }),
  };
}
