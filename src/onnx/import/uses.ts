/** What the values of a program are used for, seen from its outputs. @module */
import { functionOfNode } from './check.ts';
import { isFloatType, isHeldType, typeName } from './element-types.ts';
import type { ImportedGraph, ImportedNode, ImportedProgram } from './graph.ts';
import { operatorOf } from './operators/registry.ts';

/**
 * `weight`: at a place whose meaning is that of a weight. `bias`: added to a product. `operand`: some other place that derivatives pass.
 * `setting`: a shape, limit or scale. `statistic`: running statistics. `zero`: an operator whose gradient is zero.
 */
export type Use = 'weight' | 'bias' | 'operand' | 'setting' | 'statistic' | 'zero';

/** Uses of each value that the outputs need, with the nodes at which they occur. */
export type Uses = ReadonlyMap<string, ReadonlyMap<Use, string>>;

type UseMap = Map<string, Map<Use, string>>;

/** Operators that pass a value on: what they are used for is what their input is used for. */
const VIEWS = new Set(['Identity', 'Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Cast', 'CastLike', 'Expand', 'Slice', 'Split']);
const PRODUCTS = new Set(['MatMul', 'Gemm', 'Conv', 'ConvTranspose', 'Einsum']);

const isDifferentiable = (uses: ReadonlyMap<Use, string>): boolean => uses.has('weight') || uses.has('bias') || uses.has('operand');

/** Uses of all values of the main graph that the named outputs need; names inside functions and nested graphs count for what they stand for. */
export function usesOf(program: ImportedProgram, outputs: readonly string[]): Uses {
  const uses: UseMap = new Map(outputs.map((name) => [name, new Map([['operand', 'the output']])]));
  walk(program, program.graph.nodes, uses);
  return uses;
}

function mark(uses: UseMap, name: string, use: Use, where: string): void {
  if (name === '') return;
  const own = uses.get(name) ?? new Map<Use, string>();
  if (!own.has(use)) own.set(use, where);
  uses.set(name, own);
}

const markAll = (uses: UseMap, name: string, all: ReadonlyMap<Use, string> | undefined): void => all?.forEach((where, use) => mark(uses, name, use, where));

function walk(program: ImportedProgram, nodes: readonly ImportedNode[], uses: UseMap): void {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node.operator])));
  for (const node of nodes.toReversed()) {
    const made = new Map<Use, string>();
    node.outputs.forEach((name) => uses.get(name)?.forEach((where, use) => made.set(use, where)));
    if (made.size === 0) continue;
    const callee = functionOfNode(program, node);
    if (callee !== undefined) {
      const inner: UseMap = new Map();
      callee.outputs.forEach((name, i) => markAll(inner, name, uses.get(node.outputs[i] ?? '')));
      walk(program, callee.nodes, inner);
      callee.inputs.forEach((name, i) => { if (i < node.inputs.length) markAll(uses, node.inputs[i], inner.get(name)); });
      continue;
    }
    for (const { graph } of node.attributes.values()) if (graph !== undefined) walkNested(program, graph, node, made, uses);
    markInputs(node, made, uses, makers);
  }
}

/** A nested graph: its outputs are used as the node's are, and what it takes from around it is used as it uses that. */
function walkNested(program: ImportedProgram, graph: ImportedGraph, node: ImportedNode, made: ReadonlyMap<Use, string>, uses: UseMap): void {
  const inner: UseMap = new Map();
  graph.outputs.forEach(({ name }) => markAll(inner, name, made));
  walk(program, graph.nodes, inner);
  node.captures.forEach((name) => markAll(uses, name, inner.get(name)));
}

function markInputs(node: ImportedNode, made: ReadonlyMap<Use, string>, uses: UseMap, makers: ReadonlyMap<string, string>): void {
  const definition = operatorOf(node.domain, node.operator);
  const where = `${node.name} (${node.operator})`;
  const isZero = definition?.gradient === 'zero' || (node.operator === 'Cast' && !isFloatCode(Number(node.attributes.get('to')?.proto.i ?? 0)));
  node.inputs.forEach((name, at) => {
    if (definition?.settings?.includes(at) === true) return mark(uses, name, 'setting', where);
    if (definition?.statistics?.includes(at) === true) return mark(uses, name, 'statistic', where);
    if (isZero) return mark(uses, name, 'zero', where);
    if (!isDifferentiable(made) || (VIEWS.has(node.operator) && node.domain === '')) return markAll(uses, name, made);
    if (definition?.weights?.includes(at) === true) return mark(uses, name, 'weight', where);
    const isBias = node.domain === '' && (node.operator === 'Add' || node.operator === 'Sub') && PRODUCTS.has(makers.get(node.inputs[1 - at]) ?? '');
    mark(uses, name, isBias ? 'bias' : 'operand', where);
  });
}

function isFloatCode(code: number): boolean {
  const name = typeName(code);
  return isHeldType(name) && isFloatType(name);
}
