/** Operators of `ai.onnx.ml` that stand before a network of scikit-learn. @module */
import { array } from '../../../core/ndarray.ts';
import { constant, convert, mul, sub } from '../../../ops/index.ts';
import { ArgumentError } from '../../../util/errors.ts';
import type { OperatorRule, OperatorTable } from '../operator.ts';

/** (x - offset) scale along the last axis: a StandardScaler, MinMaxScaler and their like. */
const scalerRule: OperatorRule = (call) => {
  const { shape } = call.input(0);
  const [offset, scale] = ['offset', 'scale'].map((name) => {
    const values = call.attributes.floats(name);
    if (values.length !== 1 && values.length !== shape.at(-1)) throw new ArgumentError({ operation: 'import', required: `attribute '${name}' must have one number, or one for each of the last axis of [${shape.join(',')}]`, received: `${values.length} numbers` });
    return convert(constant(array(values)), call.run.float);
  });
  return [call.result(mul(sub(convert(call.tensor(0), call.run.float), offset), scale), call.run.float === 'float64' ? 'double' : 'float')];
};

export const learningOperators: OperatorTable = {
  Scaler: { rule: scalerRule },
};
