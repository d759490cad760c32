/** Lists of tensors that exporters write where parts of one tensor are meant, as operators on tensors. @module */
import type { ImportedNode, ImportedProgram } from './graph.ts';

/**
 * PyTorch's newer exporter, not optimising, writes `split` as SplitToSequence and each part as SequenceAt. Such pairs become one node of
 * the domain `thalweg`, without the list between them; so does SequenceConstruct with its SequenceAt or ConcatFromSequence. What else uses
 * lists stays, and is refused as its operators are.
 */
export function withoutSequences(program: ImportedProgram): ImportedProgram {
  const functions = new Map([...program.functions].map(([name, each]) => [name, { ...each, nodes: rewritten(each.nodes) }]));
  return { ...program, graph: { ...program.graph, nodes: rewritten(program.graph.nodes) }, functions };
}

function rewritten(nodes: readonly ImportedNode[]): readonly ImportedNode[] {
  const makers = new Map<string, ImportedNode>();
  return nodes.map((node) => {
    const name = node.outputs[0] ?? '';
    if (node.domain !== '') return node;
    if (node.operator === 'SplitToSequence' || node.operator === 'SequenceConstruct') makers.set(name, node);
    const list = makers.get(node.inputs[0] ?? '');
    if (list === undefined) return node;
    const own = { ...node, domain: 'thalweg' };
    if (node.operator === 'SequenceAt') {
      return list.operator === 'SequenceConstruct' ? { ...own, operator: 'ItemOfList', inputs: [node.inputs[1] ?? '', ...list.inputs] }
        : { ...own, operator: 'PartOfSplit', inputs: [list.inputs[0], node.inputs[1] ?? '', list.inputs[1] ?? ''], attributes: list.attributes };
    }
    return node.operator === 'ConcatFromSequence' && list.operator === 'SequenceConstruct' ? { ...own, operator: 'ConcatOfList', inputs: list.inputs } : node;
  });
}
