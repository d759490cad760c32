/** Graphs as text. Names depend on the order of operations alone, so equal graphs print equally. @module */
import { formatType } from './ndarray.ts';
import type { Graph } from './graph.ts';
import type { Node, Tensor } from './tensor.ts';

/**
 * One line an operation: `c:f32[3,4] = dot{...} a b`.
 */
export function printGraph(graph: Graph): string {
  const names = new Map<Tensor, string>();
  const nameOf = (tensor: Tensor): string => {
    let name = names.get(tensor);
    if (name === undefined) {
      name = letters(names.size);
      names.set(tensor, name);
    }
    return name;
  };
  const typed = (tensor: Tensor): string => `${nameOf(tensor)}:${formatType(tensor.dtype, tensor.shape)}`;
  const head = `{ (${graph.inputs.map(typed).join(', ')}) =>`;
  const lines = graph.nodes.map((node) => `  ${node.outputs.map(typed).join(', ')} = ${node.primitive.name}${printParams(node)}${node.inputs.map((input) => ` ${nameOf(input)}`).join('')}`);
  return [head, ...lines, `  return ${graph.outputs.map(nameOf).join(', ')} }`].join('\n');
}

function printParams(node: Node): string {
  if (node.primitive.print !== undefined) return ` ${node.primitive.print(node.params)}`;
  const entries = Object.entries(node.params as object).filter(([, value]) => typeof value !== 'function');
  if (entries.length === 0) return '';
  return `{${entries.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')}}`;
}

function letters(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26));
  return index < 26 ? letter : letters(Math.floor(index / 26) - 1) + letter;
}
