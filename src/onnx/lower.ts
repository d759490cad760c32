/** Graph to ONNX model: every node by its primitive's own rule. @module */
import { DtypeError, GraphError, LoweringError } from '../util/errors.ts';
import { sameShape, scalar, sizeOf, type DType, type NDArray, type Shape } from '../core/ndarray.ts';
import type { Attribute, LoweredValue, Lowering, SubgraphOptions } from '../core/lowering.ts';
import type { Graph } from '../core/graph.ts';
import type { ModelRuntime } from '../core/backend.ts';
import type { Tensor } from '../core/tensor.ts';
import { ModelBuilder, type GraphBuilder } from './model.ts';

export interface LoweredModel {
  readonly bytes: Uint8Array;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * Lowers a graph for a runtime. Inputs whose position is in `constants` become initialisers, so the runtime may
 * rearrange them once; they are not inputs of the model.
 *
 * @throws LoweringError when the runtime lacks an operation for a type.
 */
export function lower(graph: Graph, runtime: Pick<ModelRuntime, 'supports' | 'name'>, constants: ReadonlyMap<number, NDArray> = new Map()): LoweredModel {
  const builder = new ModelBuilder();
  const scope = new Scope(builder, runtime);
  const inputs: string[] = [];
  graph.inputs.forEach((input, i) => {
    const value = constants.get(i);
    if (value !== undefined) {
      if (value.dtype !== input.dtype) throw new DtypeError({ operation: 'lower', required: `constant ${i} must be ${input.dtype}`, received: value.dtype });
      scope.define(input, { name: builder.initializer(`constant${i}`, value), shape: input.shape }, true);
    } else {
      inputs.push(builder.input(`input${i}`, input.dtype, input.shape));
      scope.define(input, { name: `input${i}`, shape: input.shape });
    }
  });
  scope.emit(graph);
  const outputs = graph.outputs.map((output, i) => builder.result(scope.name(output), output.dtype, output.shape, `output${i}`));
  return { bytes: builder.finish(), inputs, outputs };
}

/** One ONNX graph under construction, with the values known in it and around it. */
class Scope implements Lowering {
  readonly #builder: GraphBuilder;
  readonly #runtime: Pick<ModelRuntime, 'supports' | 'name'>;
  readonly #values = new Map<Tensor, LoweredValue>();
  readonly #full = new Map<Tensor, string>();
  readonly #shapes = new Map<string, Shape>();
  readonly #constants = new Set<Tensor>();
  readonly #outer: Scope | null;

  constructor(builder: GraphBuilder, runtime: Pick<ModelRuntime, 'supports' | 'name'>, outer: Scope | null = null) {
    this.#builder = builder;
    this.#runtime = runtime;
    this.#outer = outer;
  }

  define(tensor: Tensor, value: LoweredValue, isConstant = false): void {
    this.#values.set(tensor, value);
    this.#shapes.set(value.name, value.shape);
    if (isConstant) this.#constants.add(tensor);
  }

  emit(graph: Graph): void {
    for (const node of graph.nodes) {
      const values = node.primitive.onnx(this, node);
      node.outputs.forEach((output, i) => this.define(output, values[i], node.inputs.length > 0 && node.inputs.every((input) => this.isConstant(input))));
    }
  }

  loose(tensor: Tensor): LoweredValue {
    const value = this.#values.get(tensor) ?? this.#outer?.loose(tensor);
    if (value === undefined) throw new GraphError({ operation: 'lower', required: 'a value must be made before it is used', received: `${tensor} that no node has made` });
    return value;
  }

  name(tensor: Tensor): string {
    const known = this.#full.get(tensor);
    if (known !== undefined) return known;
    const value = this.loose(tensor);
    const name = sameShape(value.shape, tensor.shape) ? value.name : this.node('Expand', [value.name, this.int64(tensor.shape)])[0];
    this.#shapes.set(name, tensor.shape);
    this.#full.set(tensor, name);
    return name;
  }

  node(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}, outputs = 1, domain = ''): string[] {
    return this.#builder.node(op, inputs, attributes as never, outputs, domain);
  }

  int64(values: readonly number[], shape?: Shape): string { return this.#builder.int64(values, shape); }

  constant(value: NDArray): string {
    const name = this.#builder.constant(value);
    this.#shapes.set(name, value.shape);
    return name;
  }

  scalar(value: number, dtype: DType): string { return this.constant(scalar(value, dtype)); }

  reshape(name: string, shape: Shape): string {
    const known = this.#shapeOf(name);
    if (known !== undefined && sameShape(known, shape)) return name;
    // A zero in ONNX's shape means "as before"; allowzero gives it its plain meaning.
    const [out] = this.node('Reshape', [name, this.int64(shape)], sizeOf(shape) === 0 ? { allowzero: 1 } : {});
    this.#shapes.set(out, shape);
    return out;
  }

  #shapeOf(name: string): Shape | undefined { return this.#shapes.get(name) ?? (this.#outer === null ? undefined : this.#outer.#shapeOf(name)); }

  transpose(name: string, permutation: readonly number[]): string {
    if (permutation.every((axis, i) => axis === i)) return name;
    return this.node('Transpose', [name], { perm: permutation })[0];
  }

  cast(name: string, dtype: DType | 'int64'): string {
    const codes = { float32: 1, float64: 11, int32: 6, bool: 9, int64: 7 } as const;
    return this.node('Cast', [name], { to: codes[dtype] })[0];
  }

  supports(op: string, dtype: DType, domain?: string): boolean {
    return this.#runtime.supports(domain === undefined ? op : `${domain}:${op}`, dtype);
  }

  require(op: string, dtype: DType, primitive: string): void {
    if (this.supports(op, dtype)) return;
    throw new LoweringError({
      operation: primitive, required: `the backend ${this.#runtime.name} must have ${op} for ${dtype}`, received: 'no such kernel',
      remedy: dtype === 'float64' ? "float32, or the reference executor ('thalweg/testing') for small problems" : 'another backend',
    });
  }

  isConstant(tensor: Tensor): boolean {
    return this.#constants.has(tensor) || tensor.node?.primitive.name === 'constant' || (this.#outer?.isConstant(tensor) ?? false);
  }

  subgraph(graph: Graph, captured: readonly Tensor[], options: SubgraphOptions = {}): { readonly graph: unknown } {
    return this.#builder.subgraph((body) => {
      const inner = new Scope(body, this.#runtime, this);
      (options.extraInputs ?? []).forEach(({ dtype, shape }) => body.input(body.fresh('extra'), dtype, shape));
      graph.inputs.forEach((input, i) => {
        if (i < captured.length) return inner.define(input, this.loose(captured[i]), this.isConstant(captured[i]));
        return inner.define(input, { name: body.input(body.fresh('input'), input.dtype, input.shape), shape: input.shape });
      });
      inner.emit(graph);
      const names = graph.outputs.map((output) => inner.name(output));
      for (const extra of options.extraOutputs?.(inner, names) ?? []) body.output(extra.name, extra.dtype, extra.shape, body.fresh('output'));
      names.forEach((name, i) => body.result(name, graph.outputs[i].dtype, graph.outputs[i].shape));
    });
  }

  inline(graph: Graph, inputs: readonly LoweredValue[]): LoweredValue[] {
    const inner = new Scope(this.#builder, this.#runtime, this);
    graph.inputs.forEach((input, i) => inner.define(input, inputs[i]));
    inner.emit(graph);
    return graph.outputs.map((output) => {
      const value = inner.loose(output);
      this.#shapes.set(value.name, value.shape);
      return value;
    });
  }
}
