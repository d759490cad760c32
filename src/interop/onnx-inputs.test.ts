import { expect, test } from 'vitest';
import { array } from '../core/ndarray.ts';
import { ModelBuilder } from '../onnx/model.ts';
import { importOnnx, type ImportedModel } from './onnx-model.ts';

/** A classifier of scikit-learn, ended by `fill` from its logits: labels first, then probabilities as a list by class. */
function classifier(fill: (builder: ModelBuilder, logits: string) => string): ImportedModel {
  const builder = new ModelBuilder();
  const logits = builder.value('MatMul', [builder.input('X', 'float32', ['n', 2]), builder.initializer('coefficient', array([1, 2], [2, 1]))]);
  const probabilities = fill(builder, logits);
  const [label] = builder.node('ArgMax', [probabilities], {}, ['label']);
  const [list] = builder.node('ZipMap', [probabilities], {}, ['list'], 'ai.onnx.ml');
  builder.output(label, 'int64');
  builder.output(list, 'int64');
  return importOnnx(builder.finish());
}

test('classifiers of scikit-learn end before their probabilities', () => {
  const softmax = classifier((b, logits) => b.value('Softmax', [logits]));
  const pair = classifier((b, logits) => {
    const positive = b.value('Sigmoid', [logits]);
    return b.value('Concat', [b.value('Sub', [b.constant(array([1])), positive]), positive], { axis: 1 });
  });
  expect([softmax.loss, pair.loss]).toEqual(['cross-entropy', 'binary-cross-entropy']);
  for (const { output, parameters, model } of [softmax, pair]) {
    expect(parameters.map(({ name }) => name)).toEqual(['coefficient']);
    expect(model.init).toBeTypeOf('function');
    expect(output).toMatch(/^v_/);
  }
});
