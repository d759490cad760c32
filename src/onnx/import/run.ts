/** Runs a program's nodes on values, inside a trace: rules, functions, nested graphs; what is known is computed at once. @module */
import type { DType } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { ArgumentError, DataError } from '../../util/errors.ts';
import { Attributes } from './attributes.ts';
import { functionOfNode } from './check.ts';
import { engineType } from './element-types.ts';
import { foldCall } from './fold.ts';
import type { ImportedFunction, ImportedGraph, ImportedNode, ImportedProgram, NodeAttribute, StoredTensor } from './graph.ts';
import type { OperatorCall, OperatorDefinition, RunSettings, Subgraph } from './operator.ts';
import { operatorOf } from './operators/registry.ts';
import { mayOverflow } from './ranges.ts';
import type { ReadExternal } from './stored-tensor.ts';
import { Value, type OnnxType } from './value.ts';

/** Nodes of one run, those of unrolled loops counted each time: a bound on what a small file can ask for. */
const MOST_RUNS = 1_000_000;

/** The value of an initialiser, read from the file when it is needed. */
export const storedValue = (stored: StoredTensor): Value => Value.ofKnown(stored.type, stored.shape, () => stored.read(), stored.name);

/** Values by name, and where names are looked up next. */
interface Scope {
  readonly values: Map<string, Value>;
  readonly refused: ReadonlyMap<string, string>;
  readonly outer: Scope | undefined;
  readonly versions: ReadonlyMap<string, number>;
  /** Attributes of the function call whose body this is. */
  readonly attributes: ReadonlyMap<string, NodeAttribute | undefined> | undefined;
}

/** Nodes whose results the wanted names need, in order. */
export function nodesFor(nodes: readonly ImportedNode[], wanted: Iterable<string>): ImportedNode[] {
  const needed = new Set(wanted);
  return nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => name !== '' && needed.has(name))) return false;
    [...node.inputs, ...node.captures].forEach((name) => needed.add(name));
    return true;
  }).reverse();
}

/** What `runProgram` is told besides the program. */
export interface RunOptions {
  readonly settings: RunSettings;
  /** Values of inputs, parameters and statistics by name; initialisers that are not among them have their stored values. */
  readonly feeds: ReadonlyMap<string, Value>;
  /** Names of the values wanted, whether outputs or others. */
  readonly outputs: readonly string[];
  readonly readExternal?: ReadExternal | undefined;
}

/**
 * Runs the main graph as far as the wanted values need it. Call it inside a traced function.
 * @throws DataError naming the node, its operator and the types of its inputs, with the operator's own error as cause.
 */
export function runProgram(program: ImportedProgram, { settings, feeds, outputs, readExternal }: RunOptions): Value[] {
  return new Run(program, settings, readExternal).main(feeds, outputs);
}

/** Nodes that a remark lists by name. */
const LISTED = 5;

const narrowNotice = (nodes: readonly string[]): string =>
  `64-bit integers are computed in 32 bits, and would be wrong beyond 2147483647 at ${nodes.slice(0, LISTED).join(', ')}${nodes.length > LISTED ? ` and ${nodes.length - LISTED} more nodes` : ''}`;

/** Errors that name their node already. */
const located = new WeakSet<Error>();

class Run {
  readonly #program: ImportedProgram;
  readonly #settings: RunSettings;
  readonly #readExternal: ReadExternal | undefined;
  /** Nodes whose integers may not fit. */
  readonly #narrow = new Set<string>();
  #runs = 0;

  constructor(program: ImportedProgram, settings: RunSettings, readExternal: ReadExternal | undefined) {
    this.#program = program;
    this.#settings = settings;
    this.#readExternal = readExternal;
  }

  main(feeds: ReadonlyMap<string, Value>, outputs: readonly string[]): Value[] {
    const { graph, versions } = this.#program;
    const scope = this.#scope(graph, { versions });
    feeds.forEach((value, name) => scope.values.set(name, value));
    const values = this.#nodes(graph.nodes, scope, outputs);
    if (this.#narrow.size > 0) this.#settings.notice(narrowNotice([...this.#narrow]));
    return values;
  }

  #scope({ initialisers, refused }: Pick<ImportedGraph, 'initialisers' | 'refused'>, { versions, outer, attributes }: Partial<Scope> & Pick<Scope, 'versions'>): Scope {
    const values = new Map<string, Value>();
    initialisers.forEach((stored, name) => values.set(name, storedValue(stored)));
    return { values, refused, outer, versions, attributes };
  }

  #nodes(nodes: readonly ImportedNode[], scope: Scope, outputs: readonly string[]): Value[] {
    const live = nodesFor(nodes, outputs);
    const read = new Set([...outputs, ...live.flatMap((node) => [...node.inputs, ...node.captures])]);
    for (const node of live) {
      const results = this.#node(node, scope, read);
      node.outputs.forEach((name, i) => {
        const value = results[i];
        if (name !== '' && value !== undefined) scope.values.set(name, value);
      });
    }
    return outputs.map((name) => find(name, scope));
  }

  #node(node: ImportedNode, scope: Scope, read: ReadonlySet<string>): readonly (Value | undefined)[] {
    let inputs: (Value | undefined)[] = [];
    try {
      if (++this.#runs > MOST_RUNS) throw new ArgumentError({ operation: 'import', required: `at most ${MOST_RUNS} nodes may be run`, received: 'more: a loop or functions unfold to too many' });
      inputs = node.inputs.map((name) => (name === '' ? undefined : find(name, scope)));
      const callee = functionOfNode(this.#program, node);
      if (callee !== undefined) return this.#call(callee, node, inputs, scope);
      const definition = operatorOf(node.domain, node.operator);
      if (definition === undefined) throw new ArgumentError({ operation: 'import', required: 'the operator must be one that is read', received: operatorLabel(node) });
      const results = this.#rule(definition, node, inputs, scope, read);
      if (mayOverflow(node.operator, inputs, results)) this.#narrow.add(`'${node.name}' (${operatorLabel(node)})`);
      return results;
    } catch (error) {
      throw locate(error as Error, node, inputs);
    }
  }

  #call(callee: ImportedFunction, node: ImportedNode, inputs: readonly (Value | undefined)[], scope: Scope): Value[] {
    const attributes = new Map(callee.attributes);
    this.#attributes(node, scope).forEach((attribute, name) => attributes.set(name, attribute));
    const inner = this.#scope({ initialisers: new Map(), refused: new Map() }, { versions: callee.versions, attributes });
    if (inputs.length > callee.inputs.length) throw new ArgumentError({ operation: 'import', required: `function '${callee.name}' takes ${callee.inputs.length} inputs`, received: String(inputs.length) });
    callee.inputs.forEach((name, i) => { if (inputs[i] !== undefined) inner.values.set(name, inputs[i]); });
    // An absent input of a call is an absent input of the nodes that would use it.
    const absent = new Set(callee.inputs.filter((_, i) => inputs[i] === undefined));
    const nodes = absent.size === 0 ? callee.nodes : callee.nodes.map((body) => ({ ...body, inputs: body.inputs.map((name) => (absent.has(name) ? '' : name)) }));
    return this.#nodes(nodes, inner, callee.outputs.slice(0, node.outputs.length));
  }

  /** The node's attributes, with references to attributes of the function around it resolved. */
  #attributes(node: ImportedNode, scope: Scope): ReadonlyMap<string, NodeAttribute> {
    if (scope.attributes === undefined) return node.attributes;
    const resolved = new Map<string, NodeAttribute>();
    node.attributes.forEach((attribute, name) => {
      const { refAttrName } = attribute.proto;
      const value = refAttrName === '' ? attribute : scope.attributes!.get(refAttrName);
      // Without value the attribute is absent, and the operator's own default holds.
      if (value !== undefined) resolved.set(name, value);
    });
    return resolved;
  }

  #rule(definition: OperatorDefinition, node: ImportedNode, inputs: readonly (Value | undefined)[], scope: Scope, read: ReadonlySet<string>): readonly (Value | undefined)[] {
    const { float } = this.#settings;
    const version = scope.versions.get(node.domain) ?? 1;
    if (node.domain === '' && version < (definition.since ?? 7)) throw new ArgumentError({ operation: 'import', required: `${node.operator} is read from operator set ${definition.since} on`, received: String(version) });
    const attributes = this.#attributes(node, scope);
    const input = (at: number): Value => {
      const value = inputs[at];
      if (value === undefined) throw new ArgumentError({ operation: 'import', required: `input ${at} of ${node.operator} is needed`, received: 'none' });
      return value;
    };
    const made = (tensorOf: (value: Value) => Tensor, dtypeOf: (type: OnnxType) => DType): OperatorCall => ({
      operator: node.operator, inputs, attributes: new Attributes(attributes, this.#readExternal), version, run: this.#settings,
      outputs: node.outputs.findLastIndex((name) => name !== '') + 1,
      wants: (at) => { const name = node.outputs[at]; return name !== undefined && name !== '' && read.has(name); },
      has: (at) => inputs[at] !== undefined,
      input,
      tensor: (at) => tensorOf(input(at)),
      dtypeOf,
      indices: (at) => input(at).tensor(float),
      integers: (at, what) => input(at).elements(what),
      result: (tensor, type: OnnxType = input(0).type) => Value.ofTensor(type, tensor),
      subgraph: (name) => this.#subgraph(attributes.get(name)?.graph, name, scope),
    });
    const hasGraphs = node.captures.length > 0 || [...attributes.values()].some(({ graph }) => graph !== undefined);
    const folded = hasGraphs || definition.impure === true ? undefined : foldCall(definition.rule, inputs, float, made);
    return folded ?? definition.rule(made((value) => value.tensor(float), (type) => engineType(type, float)));
  }

  #subgraph(graph: ImportedGraph | undefined, name: string, scope: Scope): Subgraph {
    if (graph === undefined) throw new ArgumentError({ operation: 'import', required: `attribute '${name}' (graph) is needed`, received: 'none' });
    return {
      inputs: graph.inputs.map((input) => input.name),
      outputs: graph.outputs.length,
      run: (values) => {
        if (values.length !== graph.inputs.length) throw new ArgumentError({ operation: 'import', required: `the graph '${name}' takes ${graph.inputs.length} inputs`, received: String(values.length) });
        const inner = this.#scope(graph, { versions: scope.versions, attributes: scope.attributes, outer: scope });
        graph.inputs.forEach((input, i) => inner.values.set(input.name, values[i]));
        return this.#nodes(graph.nodes, inner, graph.outputs.map((output) => output.name));
      },
    };
  }
}

function find(name: string, scope: Scope): Value {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const value = at.values.get(name);
    if (value !== undefined) return value;
    const refusal = at.refused.get(name);
    if (refusal !== undefined) throw new DataError({ operation: `ONNX tensor '${name}'`, required: 'an initialiser that is used must be a dense tensor of floating-point numbers of 16 to 64 bits, integers of 8 to 64 bits or bool', received: refusal });
  }
  throw new ArgumentError({ operation: 'import', required: `the value '${name}' must have been made`, received: 'none' });
}

/** `com.microsoft:Gelu`, or the bare name for ONNX's own. */
export const operatorLabel = ({ domain, operator }: Pick<ImportedNode, 'domain' | 'operator'>): string => (domain === '' ? operator : `${domain}:${operator}`);

function locate(cause: Error, node: ImportedNode, inputs: readonly (Value | undefined)[]): Error {
  if (located.has(cause)) return cause;
  const types = inputs.map((value) => value?.toString() ?? 'none').join(', ');
  const error = new DataError({
    operation: `ONNX node '${node.name}' (${operatorLabel(node)}${types === '' ? '' : ` of ${types}`})`, required: 'the operator must fit its inputs', received: `this: ${cause.message.replace(/^import: /, '').replace(/\.$/, '')}`,
  });
  error.cause = cause;
  located.add(error);
  return error;
}
