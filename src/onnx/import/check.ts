/** Checks of a parsed model that need no values: who makes what, and in which order. @module */
import { functionKey, type ImportedFunction, type ImportedGraph, type ImportedNode, type ImportedProgram } from './graph.ts';

type Refuse = (required: string, received: string, remedy?: string) => never;

/** Nodes that a call may expand to: functions that call functions grow as powers of two. */
export const MOST_NODES = 200_000;

/** Functions that call functions: exporters nest a few deep. */
const DEEPEST_CALLS = 100;

/**
 * Refuses names that are used before they are made or made twice, outputs that nothing makes, nodes of domains without operator set,
 * and functions that call themselves or expand to more than 200,000 nodes.
 */
export function checkProgram(program: ImportedProgram, refuse: Refuse): void {
  checkGraph(program.graph, new Set(), refuse);
  for (const { name, inputs, outputs, nodes } of program.functions.values()) {
    const made = new Set(inputs);
    if (made.size !== inputs.length) refuse(`inputs of function '${name}' must have names of their own`, inputs.join(', '));
    checkNodes(nodes, made, new Set(), refuse, `function '${name}': `);
    outputs.forEach((output) => { if (!made.has(output)) refuse(`function '${name}' must make its output`, `no node that makes '${output}'`); });
  }
  checkCalls(program, refuse);
}

function checkGraph(graph: ImportedGraph, outer: ReadonlySet<string>, refuse: Refuse): void {
  const made = new Set([...graph.initialisers.keys(), ...graph.refused.keys()]);
  graph.inputs.forEach(({ name }) => made.add(name));
  checkNodes(graph.nodes, made, outer, refuse, '');
  const names = new Set<string>();
  for (const { name } of graph.outputs) {
    if (!made.has(name) && !outer.has(name)) refuse('outputs must be made by a node', `'${name}', which nothing makes`);
    if (names.has(name) && outer.size === 0) refuse('outputs must have names of their own', `'${name}' twice`);
    names.add(name);
  }
}

/** Adds what the nodes make to `made`. */
function checkNodes(nodes: readonly ImportedNode[], made: Set<string>, outer: ReadonlySet<string>, refuse: Refuse, where: string): void {
  for (const node of nodes) {
    const label = `${where}node '${node.name}' (${node.operator})`;
    for (const name of [...node.inputs, ...node.captures]) {
      if (name === '' || made.has(name) || outer.has(name)) continue;
      const isLater = nodes.some(({ outputs }) => outputs.includes(name));
      refuse(`${label} must use values that are made before it`, `'${name}', which ${isLater ? 'a later node makes: the nodes are out of order or form a cycle' : 'nothing makes'}`);
    }
    for (const { graph } of node.attributes.values()) if (graph !== undefined) checkGraph(graph, new Set([...outer, ...made]), refuse);
    for (const name of node.outputs) {
      if (name === '') continue;
      if (made.has(name)) refuse('values must be made once', `'${name}' again by ${label}`);
      made.add(name);
    }
  }
}

const callsOf = (nodes: readonly ImportedNode[]): ImportedNode[] =>
  nodes.flatMap((node) => [node, ...[...node.attributes.values()].flatMap(({ graph }) => (graph === undefined ? [] : callsOf(graph.nodes)))]);

/** The function that a node calls, if it calls one. */
export const functionOfNode = ({ functions }: Pick<ImportedProgram, 'functions'>, { domain, operator, overload }: ImportedNode): ImportedFunction | undefined =>
  functions.get(functionKey(domain, operator, overload)) ?? functions.get(functionKey(domain, operator));

function checkCalls(program: ImportedProgram, refuse: Refuse): void {
  const sizes = new Map<ImportedFunction, number>();
  const path: ImportedFunction[] = [];
  const count = (nodes: readonly ImportedNode[]): number => callsOf(nodes).reduce((total, node) => {
    const callee = functionOfNode(program, node);
    return total + (callee === undefined ? 1 : size(callee));
  }, 0);
  const size = (callee: ImportedFunction): number => {
    const known = sizes.get(callee);
    if (known !== undefined) return known;
    if (path.includes(callee)) refuse('functions must not call themselves', `'${[...path.slice(path.indexOf(callee)), callee].map(({ name }) => name).join("' calls '")}'`);
    if (path.length === DEEPEST_CALLS) refuse(`functions must call each other at most ${DEEPEST_CALLS} deep`, 'a longer chain');
    path.push(callee);
    const result = count(callee.nodes);
    path.pop();
    sizes.set(callee, result);
    return result;
  };
  const total = count(program.graph.nodes);
  for (const callee of program.functions.values()) size(callee);
  if (total > MOST_NODES) refuse(`a model must have at most ${MOST_NODES} nodes after its functions are expanded`, String(total));
}
