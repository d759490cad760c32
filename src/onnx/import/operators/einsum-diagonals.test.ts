import { expect, test } from 'vitest';
import { expectAgreement, floats, importedOutputs, type OperatorCase } from './agreement.test-helper.ts';

const one = (equation: string, ...inputs: OperatorCase['inputs']): OperatorCase => ({ operator: 'Einsum', inputs, attributes: { equation }, tolerance: 1e-5 });
const cube = floats([3, 4, 4]);

test.each([
  one('aii->ai', cube), one('aii->ia', cube), one('aii', cube), one('ii', floats([4, 4])), one('iai->a', floats([4, 3, 4])), one('iii->i', floats([3, 3, 3])),
  one('...ii->...i', cube), one('aii,ib->ab', cube, floats([4, 2])),
].map((one) => [one.attributes!.equation, one] as const))('%s agrees with ONNX Runtime', (_, one) => expectAgreement(one));

test('axes of one letter must have one extent', async () => {
  await expect(importedOutputs(one('aia->i', cube))).rejects.toThrow("axes 'a' of the term 'aia' must have one extent, got 3 and 4");
});
