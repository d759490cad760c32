/** Operators that cannot be read, with the reason: what follows "which" in a message. Others are only not read yet. @module */

const RANDOM = 'draws random numbers of its own, which a measurement could not repeat';
const SEQUENCE = 'works on a list of tensors, for which programs have no type; export the model with tensors in their place';
const COMPLEX = 'needs complex numbers, which the engine has not';
const OPTIONAL = 'works on optional values, for which programs have no type; export the model with tensors in their place';
const AUDIO = 'prepares sound, whose spectra need complex numbers, which the engine has not; compute the features beforehand and take them as data';
const DETECTION = 'is an operator of object detectors, and losses on boxes are none that are measured here';
const WEIGHTLESS = 'keeps its weights in attributes, where they are no parameters; a multilayer perceptron keeps them in arrays';
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
  Optional: OPTIONAL,
  OptionalGetElement: OPTIONAL,
  OptionalHasElement: OPTIONAL,
  DFT: COMPLEX,
  STFT: COMPLEX,
  BlackmanWindow: AUDIO,
  HammingWindow: AUDIO,
  HannWindow: AUDIO,
  MelWeightMatrix: AUDIO,
  NonMaxSuppression: 'keeps as many boxes as the data decide, and a program has shapes that do not depend on data; take an earlier value as output',
  RoiAlign: DETECTION,
  MaxRoiPool: DETECTION,
  DeformConv: 'is an operator of object detectors that no exporter writes for classifiers',
  MaxUnpool: 'needs the positions of a MaxPool, which the engine does not keep',
  TfIdfVectorizer: 'counts pieces of text; compute the counts beforehand and take them as data',
  StringNormalizer: 'works on text; turn it into numbers beforehand and take them as data',
  'ai.onnx.ml:LinearClassifier': WEIGHTLESS,
  'ai.onnx.ml:LinearRegressor': WEIGHTLESS,
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
