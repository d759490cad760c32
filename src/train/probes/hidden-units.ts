/** What a layer's linear part makes and what its nonlinearity makes of that, found in the traced model. @module */
import { nodesOf, substitute } from '../../core/graph.ts';
import { isFloat, sameShape } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { activationsIn } from '../../curvature/activations.ts';
import { onesLike } from '../../ops/index.ts';
import { predict, type PointTensors, type Problem } from '../../problem/index.ts';
import { jvp } from '../../transforms/index.ts';

/** A layer's values, of a running trace. */
export interface LayerValues {
  /** The layer's name among the parameters: `layers.0`; `layers.0 #2` where it is applied a second time. */
  readonly layer: string;
  /** What the layer's last operation with a parameter makes, bias included: [examples, ...]. */
  readonly linear: Tensor;
  /** What a nonlinearity of its own makes of it, element by element: the same shape. The linear part itself where there is none. */
  readonly units: Tensor;
  readonly isActivated: boolean;
}

/** Operations of which an element of the result comes of one element of each argument: those that are not linear, and those that are. */
const NONLINEAR = new Set([
  'abs', 'acos', 'asin', 'atan', 'atan2', 'ceil', 'cos', 'cosh', 'custom_jvp', 'div', 'equal', 'erf', 'exp', 'expm1', 'floor', 'greater', 'greater_equal', 'less', 'less_equal',
  'log', 'log1p', 'logistic', 'max', 'min', 'mod', 'mul', 'not_equal', 'pow', 'round', 'rsqrt', 'select', 'sign', 'sin', 'sinh', 'sqrt', 'tan', 'tanh',
]);
const LINEAR = new Set(['add', 'sub', 'neg', 'alias']);

/**
 * The layers of a model in the order they run, once for every application. Units are found by following each layer's linear part through
 * elementwise operations up to the first value that something else reads (a product, a sum, a pooling). A layer whose linear part goes
 * straight into another layer's (a convolution before a normalisation) has no units of its own.
 */
export function layerValues<P, State>(problem: Pick<Problem<P, State>, 'model' | 'name'>, { params, state }: PointTensors<P, State>, inputs: Tensor): LayerValues[] {
  const outputs = predict(problem as Problem<P, State>, params, state, inputs);
  const learned = activationsIn(params, state, inputs, outputs).filter(({ name, isLearned }) => isLearned && name.startsWith('after '));
  const nodes = nodesOf([outputs]);
  const others = new Set(learned.map(({ tensor }) => tensor));
  return learned.map(({ name, tensor: linear }) => {
    const layer = name.slice('after '.length);
    // Values of the nonlinearity so far: whether one of the operations up to each was not linear.
    const reached = new Map<Tensor, boolean>([[linear, false]]);
    let units = outputs;
    for (const node of nodes) {
      const from = node.inputs.filter((input) => reached.has(input));
      if (from.length === 0) continue;
      const isNonlinear = NONLINEAR.has(node.primitive.name);
      const goesOn = (isNonlinear || LINEAR.has(node.primitive.name)) && node.outputs.every((output) => sameShape(output.shape, linear.shape) && !others.has(output));
      if (goesOn) {
        node.outputs.forEach((output) => reached.set(output, isNonlinear || from.some((input) => reached.get(input))));
      } else if (others.has(node.outputs[0]) && !['dot', 'conv'].includes(node.primitive.name)) {
        // Scaled or shifted by another layer's parameters: the units are that layer's.
        units = linear;
        break;
      } else {
        units = from.reduce((first, tensor) => (tensor.id < first.id ? tensor : first));
        break;
      }
    }
    const isActivated = reached.get(units) === true && isFloat(units.dtype);
    return { layer, linear, units: isActivated ? units : linear, isActivated };
  });
}

/** The slope of the nonlinearity at each unit: the derivative of `units` with respect to `linear`, element by element. */
export const slopes = ({ linear, units }: LayerValues): Tensor =>
  jvp((z: Tensor) => substitute([units], new Map([[linear, z]]))[0], [linear], [onesLike(linear)])[1];
