/** What of a program can be read, and what of it derivatives do not pass. @module */
import { functionOfNode } from './check.ts';
import type { ImportedNode, ImportedProgram } from './graph.ts';
import { operatorOf } from './operators/registry.ts';
import { refusalOf } from './operators/refused.ts';
import { nodesFor, operatorLabel } from './run.ts';

const graphsOf = ({ attributes }: ImportedNode): readonly ImportedNode[] => [...attributes.values()].flatMap(({ graph }) => graph?.nodes ?? []);

/** Operators without rule among the nodes that the outputs need, with the number of their nodes, and the reason where there is one: `GridSample (2 nodes)`. */
export function unsupportedOperators(program: ImportedProgram, outputs: readonly string[]): string[] {
  const counts = new Map<string, { nodes: number; reason: string }>();
  const visit = (node: ImportedNode): void => {
    const callee = functionOfNode(program, node);
    if (callee !== undefined) return callee.nodes.forEach(visit);
    if (operatorOf(node.domain, node.operator) === undefined) {
      const refusal = refusalOf(node.domain, node.operator);
      counts.set(operatorLabel(node), { nodes: (counts.get(operatorLabel(node))?.nodes ?? 0) + 1, reason: refusal === undefined ? '' : `, which ${refusal}` });
    }
    graphsOf(node).forEach(visit);
  };
  nodesFor(program.graph.nodes, outputs).forEach(visit);
  return [...counts].sort().map(([name, { nodes, reason }]) => `${name} (${nodes} ${nodes === 1 ? 'node' : 'nodes'}${reason})`);
}

/** A node that derivatives do not pass as they are. */
export interface NotDifferentiable {
  readonly node: string;
  readonly operator: string;
  /** `zero`: the derivative is zero there. `straight-through`: rounding is passed as if it were not there. */
  readonly gradient: 'zero' | 'straight-through';
}

/** Nodes between the sources (parameters and inputs) and the outputs whose operators have no true derivative. */
export function nonDifferentiableNodes(program: ImportedProgram, sources: Iterable<string>, outputs: readonly string[]): NotDifferentiable[] {
  const found: NotDifferentiable[] = [];
  const walk = (nodes: readonly ImportedNode[], reached: Set<string>): void => {
    for (const node of nodes) {
      const callee = functionOfNode(program, node);
      const definition = callee === undefined ? operatorOf(node.domain, node.operator) : undefined;
      const isReached = [...node.inputs, ...node.captures].some((name, at) => reached.has(name) && definition?.settings?.includes(at) !== true);
      if (!isReached) continue;
      if (callee !== undefined) walk(callee.nodes, new Set(callee.inputs.filter((_, i) => reached.has(node.inputs[i]))));
      const inner = graphsOf(node);
      // A copy of what is reached at each node would make long models slow.
      if (inner.length > 0) walk(inner, new Set([...reached, ...[...node.attributes.values()].flatMap(({ graph }) => graph?.inputs.map(({ name }) => name) ?? [])]));
      const gradient = definition?.gradient ?? 'exact';
      // Shapes are known whatever the data: nothing is lost there.
      if (gradient === 'zero' && (node.operator === 'Shape' || node.operator === 'Size')) continue;
      if (gradient !== 'exact') found.push({ node: node.name, operator: node.operator, gradient });
      node.outputs.forEach((name) => reached.add(name));
    }
  };
  walk(nodesFor(program.graph.nodes, outputs), new Set(sources));
  return found;
}
