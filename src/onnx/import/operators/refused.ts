/** Operators that cannot be read, with the reason: what follows "which" in a message. Others are only not read yet. @module */

const RANDOM = 'draws random numbers of its own, which a measurement could not repeat';
const SEQUENCE = 'works on a list of tensors, for which programs have no type; export the model with tensors in their place';
const COMPLEX = 'needs complex numbers, which the engine has not';
const QUANTISED = 'computes with quantised numbers in a form of ONNX Runtime; import the model as it was before quantisation, or with QuantizeLinear and DequantizeLinear nodes';

const reasons: Readonly<Record<string, string>> = {
  Bernoulli: RANDOM,
  Multinomial: RANDOM,
  RandomNormal: RANDOM,
  RandomNormalLike: RANDOM,
  RandomUniform: RANDOM,
  RandomUniformLike: RANDOM,
  Det: 'needs a determinant, which the engine has not',
  SequenceAt: SEQUENCE,
  SequenceConstruct: SEQUENCE,
  SequenceEmpty: SEQUENCE,
  SequenceErase: SEQUENCE,
  SequenceInsert: SEQUENCE,
  SequenceLength: SEQUENCE,
  SequenceMap: SEQUENCE,
  SplitToSequence: SEQUENCE,
  ConcatFromSequence: SEQUENCE,
  DFT: COMPLEX,
  STFT: COMPLEX,
  'com.microsoft:DynamicQuantizeMatMul': QUANTISED,
  'com.microsoft:MatMulIntegerToFloat': QUANTISED,
  'com.microsoft:MatMulNBits': QUANTISED,
  'com.microsoft:QAttention': QUANTISED,
  'com.microsoft:QEmbedLayerNormalization': QUANTISED,
  'com.microsoft:QGemm': QUANTISED,
  'com.microsoft:QLinearAdd': QUANTISED,
  'com.microsoft:QLinearAveragePool': QUANTISED,
  'com.microsoft:QLinearConcat': QUANTISED,
  'com.microsoft:QLinearGlobalAveragePool': QUANTISED,
  'com.microsoft:QLinearLeakyRelu': QUANTISED,
  'com.microsoft:QLinearMul': QUANTISED,
  'com.microsoft:QLinearSigmoid': QUANTISED,
  'com.microsoft:QLinearSoftmax': QUANTISED,
};

/** Why an operator cannot be read; undefined when there is no such reason. */
export function refusalOf(domain: string, operator: string): string | undefined {
  const key = domain === '' ? operator : `${domain}:${operator}`;
  return Object.hasOwn(reasons, key) ? reasons[key] : undefined;
}
