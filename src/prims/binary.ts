/** Elementwise functions of two arguments of one type: arithmetic, comparisons, logic. No implicit broadcasting. @module */
import { DtypeError } from '../util/errors.ts';
import { allocate, NDArray, type DType } from '../core/ndarray.ts';
import type { Lowering } from '../core/lowering.ts';
import { bind1, type JvpArguments, type JvpResult, type MaybeTensor, type Primitive, type Tensor, type TransposeArguments } from '../core/tensor.ts';
import { constantLike, splatOf, zerosLike } from './constant.ts';
import { addMaybe, elementwiseBatch, looseNode, looseShape, nonlinear, requireCount, requireSameTypes, zeroTangent } from './rules.ts';
import { select } from './select.ts';
import { abs, floor, log, neg, negPrimitive, sign } from './unary.ts';

type NoParams = Record<string, never>;
type Jvp = (args: JvpArguments<NoParams>) => JvpResult;

interface BinaryRules {
  readonly op?: string;
  readonly attributes?: Readonly<Record<string, number>>;
  readonly emit?: (lowering: Lowering, x: string, y: string, dtype: DType) => string;
  readonly value: (x: number, y: number) => number;
  readonly jvp?: Jvp;
  readonly transpose?: (args: TransposeArguments<NoParams>) => readonly MaybeTensor[];
  readonly dtypes?: readonly DType[];
  readonly output?: 'bool';
  readonly domains?: readonly (readonly [number, number])[];
  readonly simplify?: (x: Tensor, y: Tensor) => Tensor | null;
  readonly commutative?: boolean;
}

const NUMBERS: readonly DType[] = ['float32', 'float64', 'int32'];

function binary(name: string, rules: BinaryRules): Primitive<NoParams> {
  const dtypes = rules.dtypes ?? NUMBERS;
  const primitive: Primitive<NoParams> = {
    name,
    shape(_, inputs) {
      requireCount(name, inputs, 2);
      requireSameTypes(name, inputs);
      const [x] = inputs;
      if (!dtypes.includes(x.dtype)) {
        throw new DtypeError({ operation: name, required: `arguments must be ${dtypes.join(' or ')}`, received: x.dtype, remedy: 'convert(x, dtype) first' });
      }
      return [{ shape: x.shape, dtype: rules.output ?? x.dtype }];
    },
    jvp: rules.jvp ?? zeroTangent,
    transpose: rules.transpose ?? nonlinear(name),
    batch: elementwiseBatch(() => primitive),
    commutative: rules.commutative === true,
    simplify(_, [x, y]) {
      const simpler = rules.simplify?.(x, y) ?? null;
      return simpler && [simpler];
    },
    onnx(lowering, node) {
      if (rules.emit === undefined) return looseNode(lowering, node, rules.op!, { attributes: rules.attributes });
      const [x, y] = node.inputs.map((input) => lowering.loose(input));
      return [{ name: rules.emit(lowering, x.name, y.name, node.inputs[0].dtype), shape: looseShape([x, y]) }];
    },
    reference({ inputs: [x, y], types: [type] }) {
      const data = allocate(type.dtype, x.size);
      for (let i = 0; i < data.length; i++) data[i] = rules.value(x.data[i], y.data[i]);
      return [new NDArray(data, x.shape, type.dtype)];
    },
    samples: () => dtypes.filter((dtype) => dtype !== 'float32').map((dtype) => ({
      params: {}, inputs: [0, 1].map((i) => ({ shape: [3, 4], dtype, domain: rules.domains?.[i], distinct: rules.output === 'bool' || rules.transpose === undefined })),
    })),
  };
  return primitive;
}

/** Tangents of z(x, y) from its two partial derivatives. */
const partials = (dx: (x: Tensor, y: Tensor, z: Tensor) => Tensor, dy: (x: Tensor, y: Tensor, z: Tensor) => Tensor): Jvp =>
  ({ inputs: [x, y], tangents: [tx, ty], outputs: [z] }) => ({
    tangents: [addMaybe(tx && mul(tx, dx(x, y, z)), ty && mul(ty, dy(x, y, z)), add)],
  });

const is = (value: number, x: Tensor): boolean => splatOf(x) === value;

/** c x for a known number c: nothing for 1, a sign for -1, and one factor where x is scaled already. */
function simplifyProduct(c: Tensor, x: Tensor): Tensor | null {
  const factor = splatOf(c);
  if (factor === undefined) return null;
  if (factor === 1) return x;
  if (factor === -1) return neg(x);
  const scaled = scaledBy(x);
  return scaled && mul(constantLike(factor * scaled.factor, x), scaled.rest);
}

/** x as a known number times the rest, or null. */
export function scaledBy(x: Tensor): { factor: number; rest: Tensor } | null {
  const node = x.node;
  if (node?.primitive === (negPrimitive as unknown)) return { factor: -1, rest: node!.inputs[0] };
  if (node?.primitive !== (mulPrimitive as unknown)) return null;
  for (const [i, other] of [[0, 1], [1, 0]] as const) {
    const factor = splatOf(node!.inputs[i]);
    if (factor !== undefined) return { factor, rest: node!.inputs[other] };
  }
  return null;
}

export const addPrimitive = binary('add', {
  op: 'Add', value: (x, y) => x + y,
  jvp: ({ tangents: [tx, ty] }) => ({ tangents: [addMaybe(tx, ty, add)] }),
  transpose: ({ cotangents: [ct], linear }) => linear.map((l) => (l ? ct : null)),
  simplify(x, y) {
    if (is(0, x)) return y;
    if (is(0, y)) return x;
    if (x === y) return mul(constantLike(2, x), x);
    if (y.node?.primitive === (negPrimitive as unknown)) return sub(x, y.node!.inputs[0]);
    return x.node?.primitive === (negPrimitive as unknown) ? sub(y, x.node!.inputs[0]) : null;
  },
  commutative: true,
});
export const subPrimitive = binary('sub', {
  op: 'Sub', value: (x, y) => x - y,
  jvp: ({ tangents: [tx, ty] }) => ({ tangents: [ty === null ? tx : tx === null ? neg(ty) : sub(tx, ty)] }),
  transpose: ({ cotangents: [ct], linear }) => [linear[0] ? ct : null, linear[1] && ct ? neg(ct) : null],
  simplify: (x, y) => (is(0, y) ? x : is(0, x) ? neg(y) : y.node?.primitive.name === 'neg' ? add(x, y.node.inputs[0]) : null),
});
export const mulPrimitive = binary('mul', {
  op: 'Mul', value: (x, y) => x * y,
  jvp: ({ inputs: [x, y], tangents: [tx, ty] }) => ({ tangents: [addMaybe(tx && mul(tx, y), ty && mul(x, ty), add)] }),
  transpose: ({ inputs: [x, y], cotangents: [ct], linear }) => [linear[0] && ct ? mul(ct, y) : null, linear[1] && ct ? mul(x, ct) : null],
  simplify: (x, y) => simplifyProduct(x, y) ?? simplifyProduct(y, x),
  commutative: true,
});
export const divPrimitive = binary('div', {
  op: 'Div', value: (x, y) => x / y, domains: [[-2, 2], [0.5, 3]],
  // d(x/y) = dx/y - (x/y) dy/y
  jvp: ({ inputs: [, y], tangents: [tx, ty], outputs: [z] }) => ({ tangents: [addMaybe(tx && div(tx, y), ty && neg(div(mul(z, ty), y)), add)] }),
  transpose: (args) => (args.linear[1] ? nonlinear('div')() : [args.cotangents[0] && div(args.cotangents[0], args.inputs[1]), null]),
  simplify: (x, y) => (is(1, y) ? x : null), dtypes: ['float32', 'float64'],
});
/** Where both are equal, each gets half of the derivative, as in JAX. */
const chooses = (name: 'greater' | 'less'): Jvp => {
  const share = (a: Tensor, b: Tensor): Tensor => {
    const better = name === 'greater' ? greater(a, b) : less(a, b);
    return select(better, constantLike(1, a), select(equal(a, b), constantLike(0.5, a), zerosLike(a)));
  };
  return partials((x, y) => share(x, y), (x, y) => share(y, x));
};
export const maxPrimitive = binary('max', { commutative: true, op: 'Max', value: Math.max, jvp: chooses('greater'), simplify: (x, y) => (x === y ? x : null) });
export const minPrimitive = binary('min', { commutative: true, op: 'Min', value: Math.min, jvp: chooses('less'), simplify: (x, y) => (x === y ? x : null) });
export const powPrimitive = binary('pow', {
  op: 'Pow', value: power, domains: [[0.3, 2], [-2, 2]], dtypes: ['float32', 'float64'],
  jvp: partials(
    // d x^y/dx = y x^(y-1), zero for y = 0 also at x = 0; elsewhere unchanged at y = 0, where its derivative in y is 1/x
    (x, y) => mul(y, pow(select(and(equal(x, zerosLike(x)), equal(y, zerosLike(y))), constantLike(1, x), x), sub(y, constantLike(1, y)))),
    // d x^y/dy = x^y log x, zero at x = 0
    (x, _, z) => mul(z, log(select(equal(x, zerosLike(x)), constantLike(1, x), x))),
  ),
  simplify: (x, y) => (is(1, y) ? x : is(2, y) ? mul(x, x) : is(0, y) ? constantLike(1, x) : null),
});
// atan2(y, x): d = (x dy - y dx) / (x^2 + y^2)
export const atan2Primitive = binary('atan2', {
  value: Math.atan2, domains: [[0.3, 2], [-2, -0.3]], dtypes: ['float32', 'float64'],
  jvp: partials((y, x) => div(x, add(mul(x, x), mul(y, y))), (y, x) => neg(div(y, add(mul(x, x), mul(y, y))))),
  emit(l, y, x, dtype) {
    l.require('Atan', dtype, 'atan2');
    const emit = (op: string, ...inputs: string[]): string => l.node(op, inputs)[0];
    const number = (value: number): string => l.scalar(value, dtype);
    const turn = emit('Where', emit('Less', y, number(0)), number(-Math.PI), number(Math.PI));
    const angle = emit('Add', emit('Atan', emit('Div', y, x)), emit('Where', emit('Less', x, number(0)), turn, number(0)));
    return emit('Where', emit('Equal', x, number(0)), emit('Mul', emit('Sign', y), number(Math.PI / 2)), angle);
  },
});
/** Remainder with the sign of the dividend (C's fmod). */
export const modPrimitive = binary('mod', {
  op: 'Mod', attributes: { fmod: 1 }, value: (x, y) => x % y, domains: [[-5, 5], [1, 3]],
  jvp: partials((x) => constantLike(1, x), (x, y) => { const q = div(x, y); return neg(mul(sign(q), floor(abs(q)))); }),
});

/** IEEE 754's pow, where JavaScript's is NaN: 1 to any power is 1, and so is -1 to an infinite one. */
function power(x: number, y: number): number { return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y; }

const comparison = (name: string, op: string, value: (x: number, y: number) => boolean, dtypes: readonly DType[] = NUMBERS): Primitive<NoParams> =>
  binary(name, { op, value: (x, y) => Number(value(x, y)), output: 'bool', dtypes });

export const equalPrimitive = comparison('equal', 'Equal', (x, y) => x === y, ['float32', 'float64', 'int32', 'bool']);
export const lessPrimitive = comparison('less', 'Less', (x, y) => x < y);
export const lessEqualPrimitive = comparison('less_equal', 'LessOrEqual', (x, y) => x <= y);
export const greaterPrimitive = comparison('greater', 'Greater', (x, y) => x > y);
export const greaterEqualPrimitive = comparison('greater_equal', 'GreaterOrEqual', (x, y) => x >= y);
export const notEqualPrimitive: Primitive<NoParams> = binary('not_equal', {
  value: (x, y) => Number(x !== y), output: 'bool', dtypes: ['float32', 'float64', 'int32', 'bool'],
  emit: (l, x, y) => l.node('Not', l.node('Equal', [x, y]))[0],
});
export const andPrimitive = binary('and', { op: 'And', value: (x, y) => x & y, dtypes: ['bool'] });
export const orPrimitive = binary('or', { op: 'Or', value: (x, y) => x | y, dtypes: ['bool'] });

export const add = (x: Tensor, y: Tensor): Tensor => bind1(addPrimitive, {}, x, y);
export const sub = (x: Tensor, y: Tensor): Tensor => bind1(subPrimitive, {}, x, y);
export const mul = (x: Tensor, y: Tensor): Tensor => bind1(mulPrimitive, {}, x, y);
export const div = (x: Tensor, y: Tensor): Tensor => bind1(divPrimitive, {}, x, y);
export const max = (x: Tensor, y: Tensor): Tensor => bind1(maxPrimitive, {}, x, y);
export const min = (x: Tensor, y: Tensor): Tensor => bind1(minPrimitive, {}, x, y);
export const pow = (x: Tensor, y: Tensor): Tensor => bind1(powPrimitive, {}, x, y);
export const atan2 = (y: Tensor, x: Tensor): Tensor => bind1(atan2Primitive, {}, y, x);
export const mod = (x: Tensor, y: Tensor): Tensor => bind1(modPrimitive, {}, x, y);
export const equal = (x: Tensor, y: Tensor): Tensor => bind1(equalPrimitive, {}, x, y);
export const notEqual = (x: Tensor, y: Tensor): Tensor => bind1(notEqualPrimitive, {}, x, y);
export const less = (x: Tensor, y: Tensor): Tensor => bind1(lessPrimitive, {}, x, y);
export const lessEqual = (x: Tensor, y: Tensor): Tensor => bind1(lessEqualPrimitive, {}, x, y);
export const greater = (x: Tensor, y: Tensor): Tensor => bind1(greaterPrimitive, {}, x, y);
export const greaterEqual = (x: Tensor, y: Tensor): Tensor => bind1(greaterEqualPrimitive, {}, x, y);
export const and = (x: Tensor, y: Tensor): Tensor => bind1(andPrimitive, {}, x, y);
export const or = (x: Tensor, y: Tensor): Tensor => bind1(orPrimitive, {}, x, y);
