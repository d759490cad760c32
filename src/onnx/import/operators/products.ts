/** Products of matrices and Einstein sums. @module */
import type { Tensor } from '../../../core/tensor.ts';
import { add, einsum, matmul, mul, reshape, transpose } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorRule, OperatorTable } from '../operator.ts';
import { withoutDiagonals } from './einsum-diagonals.ts';

const gemm: OperatorRule = (call) => {
  const { attributes } = call;
  const operand = (at: number, name: string): Tensor => {
    const x = call.tensor(at);
    if (x.rank !== 2) throw new ArgumentError({ operation: 'import', required: `input ${at} of Gemm must be a matrix`, received: call.input(at).toString() });
    return attributes.flag(name, false) ? transpose(x, [1, 0]) : x;
  };
  const scaled = (x: Tensor, factor: number): Tensor => (factor === 1 ? x : mul(x, factor));
  const product = scaled(matmul(operand(0, 'transA'), operand(1, 'transB')), attributes.float('alpha', 1));
  return [call.result(call.has(2) ? add(product, scaled(call.tensor(2), attributes.float('beta', 1))) : product)];
};

/**
 * ONNX's formulas have an ellipsis (axes that broadcast), an implicit result and repeated letters (diagonals); the engine's have none of
 * them. Ellipses become letters of their own, the implicit result, letters that occur once in alphabetical order, is written out, and of
 * repeated letters the diagonal is taken first.
 */
const einsumRule: OperatorRule = (call) => {
  const equation = call.attributes.text('equation').replaceAll(' ', '');
  const given = call.inputs.map((_, at) => call.tensor(at));
  const [left, right] = equation.split('->');
  const terms = left.split(',');
  if (terms.length !== given.length) throw new ArgumentError({ operation: 'import', required: `the equation '${equation}' names ${terms.length} operands`, received: String(given.length) });
  const unused = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'].filter((letter) => !equation.includes(letter));
  const hidden = terms.map((term, i) => (term.includes('...') ? given[i].rank - (term.length - 3) : 0));
  const most = Math.max(...hidden);
  const dots = unused.slice(0, most).join('');
  const written = (term: string, count: number): string => term.replace('...', dots.slice(most - count));
  const plain = terms.map((term, i) => withoutDiagonals(given[i], written(term, hidden[i])));
  const operands = plain.map(({ operand }) => operand);
  const inputs = plain.map(({ term }) => term);
  const once = [...new Set(left.replace(/[.,]/g, ''))].filter((letter) => left.indexOf(letter) === left.lastIndexOf(letter)).sort().join('');
  const result = right === undefined ? (left.includes('...') ? dots : '') + once : written(right, most);
  // An axis of extent one under an ellipsis broadcasts: it is dropped where another operand has the axis in full.
  const broadcasts = (i: number, axis: number): boolean => dots.includes(inputs[i][axis]) && operands[i].shape[axis] === 1
    && inputs.some((other, j) => j !== i && other.includes(inputs[i][axis]) && operands[j].shape[other.indexOf(inputs[i][axis])] !== 1);
  const kept = inputs.map((term, i) => [...term].map((_, axis) => axis).filter((axis) => !broadcasts(i, axis)));
  const formula = inputs.map((term, i) => kept[i].map((axis) => term[axis]).join('')).join(',');
  return [call.result(einsum(`${formula}->${result}`, ...operands.map((x, i) => reshape(x, kept[i].map((axis) => x.shape[axis])))))];
};

export const productOperators: OperatorTable = {
  MatMul: { rule: (call) => [call.result(matmul(call.tensor(0), call.tensor(1)))], weights: [0, 1] },
  Gemm: { rule: gemm, weights: [0, 1, 2] },
  Einsum: { rule: einsumRule, weights: [0, 1, 2, 3] },
};
