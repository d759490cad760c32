/** Rules of operators as functions of tensors, for derivatives and refusals. */
import type { Tensor } from '../../../core/tensor.ts';
import { ModelBuilder, type ModelAttribute } from '../../model.ts';
import { parseOnnx } from '../parse.ts';
import { runProgram } from '../run.ts';
import { Value } from '../value.ts';
import { evalSettings } from './agreement.test-helper.ts';

/** The first output of one node of float64 arguments; lists of numbers are known integers, undefined an absent input. Call it inside a trace. */
export function applied(operator: string, inputs: readonly (Tensor | readonly number[] | undefined)[], attributes: Readonly<Record<string, ModelAttribute>> = {}, opset = 21): Tensor {
  const builder = new ModelBuilder();
  const names = inputs.map((input, i) => (input === undefined ? '' : 'dtype' in input ? builder.input(`x${i}`, input.dtype, input.shape) : builder.int64(input)));
  const [made] = builder.node(operator, names, attributes, ['y']);
  builder.output(made, 'float64');
  const program = parseOnnx(builder.finish({ opset }));
  const feeds = new Map(inputs.flatMap((input, i) => (input !== undefined && 'dtype' in input ? [[`x${i}`, Value.ofTensor(input.dtype === 'int32' ? 'int32' : 'double', input)] as const] : [])));
  return runProgram(program, { settings: evalSettings('float64'), feeds, outputs: ['y'] })[0].tensor('float64');
}
