/** Every class of error through public functions: the operation, what is required, what came, what to try. */
import { describe, expect, test } from 'vitest';
import {
  ArgumentError, array, AxisError, compile, DataError, DtypeError, grad, Graph, GraphError, jvp, LoweringError, NDArray, NonFiniteError, NonlinearError, scalar, scan, ShapeError,
  setDefaultExecutor, Tensor, ThalwegError, TraceError, TreeError, typecheck, vmap, whileLoop, cond, customJvp, mapTree,
} from '../src/index.ts';
import { parseIdx } from '../src/data/idx.ts';
import * as ops from '../src/ops/index.ts';
import { nodeExecutor } from '../src/runtime/node.ts';
import { placeholder } from '../src/core/tensor.ts';
import { evaluateReference } from '../src/testing/index.ts';

/** The error of a call; refuses calls that succeed. */
async function raised(kind: new (...args: never[]) => ThalwegError, call: () => unknown): Promise<string> {
  let value: unknown;
  try {
    value = await call();
  } catch (error) {
    expect(error).toBeInstanceOf(kind);
    expect((error as ThalwegError).name).toBe(kind.name);
    return `[${(error as ThalwegError).code}] ${(error as ThalwegError).message}`;
  }
  throw new Error(`no error: ${String(value)}`);
}

const x = array([[1, 2, 3], [4, 5, 6]]);
const run = <Args extends unknown[]>(f: (...args: Args) => unknown, ...args: Parameters<ReturnType<typeof compile<Args, unknown>>>): Promise<unknown> => compile(f, { name: 'model' })(...args);

describe('ShapeError', () => {
  test('matmul', async () => {
    expect(await raised(ShapeError, () => run((a: Tensor) => ops.matmul(a, a), x))).toMatchInlineSnapshot(`"[SHAPE] matmul: the left argument's last extent must equal the right argument's rows, got [2,3] and [2,3]."`);
  });
  test('broadcasting', async () => {
    expect(await raised(ShapeError, () => run((a: Tensor, b: Tensor) => ops.add(a, b), x, array([1, 2])))).toMatchInlineSnapshot(`"[SHAPE] add: shapes must broadcast: aligned from the last axis, extents equal or one, got [2,3] and [2]."`);
  });
  test('reshape', async () => {
    expect(await raised(ShapeError, () => run((a: Tensor) => ops.reshape(a, [4]), x))).toMatchInlineSnapshot(`"[SHAPE] reshape: shape must hold the input's 6 elements ([2,3]), got [4]."`);
  });
  test('host arrays', async () => {
    expect(await raised(ShapeError, () => array([[1, 2], [3]]))).toMatchInlineSnapshot(`"[SHAPE] array: nested lists must be rectangular, got rows of different lengths."`);
    expect(await raised(ShapeError, () => new NDArray(Float32Array.of(1, 2), [3], 'float32'))).toMatchInlineSnapshot(`"[SHAPE] NDArray: shape [3] must hold as many elements as data, got 2 elements."`);
    expect(await raised(ShapeError, () => x.item())).toMatchInlineSnapshot(`"[SHAPE] item: the array must have exactly one element, got f32[2,3]."`);
  });
  test('a tangent of another shape', async () => {
    expect(await raised(ShapeError, () => run((p: { w: Tensor }) => jvp((q: { w: Tensor }) => ops.sum(q.w), [p], [{ w: ops.sum(p.w) }])[1], { w: x }))).toMatchInlineSnapshot(`"[SHAPE] jvp: a tangent at '0.w' must have the type of its value, f32[2,3], got f32[]."`);
  });
  test('a carry that changes', async () => {
    expect(await raised(ShapeError, () => run((a: Tensor) => scan((c: Tensor, s: Tensor): [Tensor, Tensor] => [ops.stack([c, s]), s], ops.zeros([3]), a), x))).toMatchInlineSnapshot(`
      "[SHAPE] scan: the body must return carry 0 with the type it came in, float32 [3], got float32 [2,3].
        Try: convert or reshape the carry inside the body"
    `);
  });
  test('mapped extents that differ', async () => {
    expect(await raised(ShapeError, () => run((a: Tensor, b: Tensor) => vmap((p: Tensor, q: Tensor) => ops.sum(ops.mul(p, q)))(a, b), x, array([1, 2, 3])))).toMatchInlineSnapshot(`"[SHAPE] vmap: all mapped axes must have one extent, got 2 and 3."`);
  });
  test('branches that differ', async () => {
    expect(await raised(ShapeError, () => run((a: Tensor) => cond(ops.greater(ops.sum(a), 0), (b: Tensor) => b, (b: Tensor) => ops.sum(b), a), x))).toMatchInlineSnapshot(`"[SHAPE] cond: both branches must return the same types, got (f32[2,3]) and (f32[])."`);
  });
});

describe('DtypeError', () => {
  test('mixed arguments', async () => {
    expect(await raised(DtypeError, () => run((a: Tensor) => ops.add(a, ops.arange(3)), x))).toMatchInlineSnapshot(`
      "[DTYPE] add: arguments must have one dtype, got float32 and int32.
        Try: convert one of them with convert(x, dtype)"
    `);
  });
  test('a function of real numbers on integers', async () => {
    expect(await raised(DtypeError, () => run((a: Tensor) => ops.sin(a), array([1, 2], [2], 'int32')))).toMatchInlineSnapshot(`
      "[DTYPE] sin: the argument must be float32 or float64, got int32.
        Try: convert(x, dtype) first"
    `);
  });
  test('a condition that is a number', async () => {
    expect(await raised(DtypeError, () => run((a: Tensor) => ops.where(a, 0, a), x))).toMatchInlineSnapshot(`
      "[DTYPE] select: the condition must be bool, got float32.
        Try: compare first, e.g. greater(x, 0)"
    `);
  });
  test('a gradient with respect to integers', async () => {
    expect(await raised(DtypeError, () => run((p: { labels: Tensor }) => grad((q: { labels: Tensor }) => ops.sum(ops.convert(q.labels, 'float32')))(p), { labels: array([1], [1], 'int32') }))).toMatchInlineSnapshot(`
      "[DTYPE] grad: the first argument at 'labels' must be float32 or float64 to be differentiated, got int32.
        Try: pass integers as a later argument, or convert them inside the function"
    `);
  });
  test('data of another type', async () => {
    expect(await raised(DtypeError, () => new NDArray(Float64Array.of(1), [1], 'float32'))).toMatchInlineSnapshot(`
      "[DTYPE] NDArray: data of a float32 array must be a Float32Array, got Float64Array.
        Try: use array(values, shape, dtype), which converts"
    `);
  });
});

describe('AxisError', () => {
  test('an axis out of range', async () => {
    expect(await raised(AxisError, () => run((a: Tensor) => ops.sum(a, 2), x))).toMatchInlineSnapshot(`"[AXIS] sum: the axis must lie in -2..1, got 2."`);
  });
  test('an axis named twice', async () => {
    expect(await raised(AxisError, () => run((a: Tensor) => ops.sum(a, [1, -1]), x))).toMatchInlineSnapshot(`"[AXIS] sum: axes must be distinct, got [1,-1]."`);
  });
  test('a permutation that is none', async () => {
    expect(await raised(AxisError, () => run((a: Tensor) => ops.transpose(a, [0, 0]), x))).toMatchInlineSnapshot(`"[AXIS] transpose: permutation must name each of the 2 axes once, got [0,0]."`);
  });
  test('nothing to map', async () => {
    expect(await raised(AxisError, () => run((a: Tensor) => vmap((b: Tensor) => b, { inAxes: [null] })(a), x))).toMatchInlineSnapshot(`
      "[AXIS] vmap: at least one argument must be mapped, got none.
        Try: give an axis for one argument in inAxes"
    `);
  });
});

describe('NonlinearError', () => {
  test('reverse mode through a while loop', async () => {
    expect(await raised(NonlinearError, () => run(grad((a: Tensor) => whileLoop((b: Tensor) => ops.less(b, 10), (b: Tensor) => ops.mul(b, 2), a)), 1))).toMatchInlineSnapshot(`
      "[NONLINEAR] while: reverse mode needs a derivative that is linear in its tangents; this operation is not linear, got a transposition through it.
        Try: use forward mode (jvp), stopGradient, or a customJvp rule"
    `);
  });
  test('a custom rule that closes over what is differentiated', async () => {
    expect(await raised(NonlinearError, () => run(grad((a: Tensor) => customJvp((b: Tensor) => ops.mul(a, b), (_, [t]) => ops.mul(a, t))(ops.onesLike(a))), 1))).toMatchInlineSnapshot(`
      "[NONLINEAR] customJvp: values that are differentiated must be arguments of the function, got a derivative with respect to a value it closes over.
        Try: pass the value as an argument, or stopGradient it"
    `);
  });
});

describe('LoweringError', () => {
  test('an operation the backend lacks for the type', async () => {
    expect(await raised(LoweringError, () => run((a: Tensor) => ops.erf(a), array([1], [1], 'float64')))).toMatchInlineSnapshot(`
      "[LOWERING] erf: the backend onnxruntime-node must have Erf for float64, got no such kernel.
        Try: float32, or the reference executor ('thalweg/testing') for small problems"
    `);
  });
  test('an index out of range, found when run', async () => {
    const message = await raised(LoweringError, () => run((a: Tensor, i: Tensor) => ops.take(a, i), x, array([7], [1], 'int32')));
    expect(message).toMatch(/^\[LOWERING\] onnxruntime-node: run: the program must run on these inputs, got this from ONNX Runtime: .*out of data bounds/s);
  });
});

describe('NonFiniteError', () => {
  const loss = (p: { w: Tensor }, rate: Tensor): Tensor => ops.sum(ops.log(ops.sub(ops.mul(p.w, rate), 1)));
  test('names the operation where it began', async () => {
    expect(await raised(NonFiniteError, () => compile(loss, { requireFinite: true, name: 'loss' })({ w: array([2, 0.5]) }, 1))).toMatchInlineSnapshot(`
      "[NON_FINITE] loss: results must be finite, got NaN first at element 1 of f32[2] from operation 5 (log) of 7.
        Try: a smaller learning rate or scale, or a stable form of this operation"
    `);
  });
  test('names the argument that came with it', async () => {
    expect(await raised(NonFiniteError, () => compile(loss, { requireFinite: true, name: 'loss' })({ w: array([2, NaN]) }, 1))).toMatchInlineSnapshot(`"[NON_FINITE] loss: arguments must be finite, got NaN at element 1 of argument '0.w'."`);
  });
  test('tells overflow of float32 apart', async () => {
    expect(await raised(NonFiniteError, () => compile((a: Tensor) => ops.convert(ops.mul(ops.convert(a, 'float64'), 1e38), 'float32'), { requireFinite: true, name: 'scale' })(10))).toMatchInlineSnapshot(`
      "[NON_FINITE] scale: results must be finite, got Infinity first at element 0 of f32[] from operation 3 (convert) of 4.
        Try: a smaller learning rate or scale, or a stable form of this operation"
    `);
  });
  test('is raised by bound functions too, and not unless asked for', async () => {
    const bound = await compile(loss, { requireFinite: true, bind: 1, name: 'loss' })({ w: array([2, 0.5]) });
    expect(await raised(NonFiniteError, () => bound(1))).toMatch(/loss: results must be finite/);
    expect((await compile(loss)({ w: array([2, 0.5]) }, 1)).item()).toBeNaN();
  });
});

describe('TraceError', () => {
  test('a tensor that outlives its trace', async () => {
    let kept: Tensor | undefined;
    await compile((a: Tensor) => { kept = ops.mul(a, 2); return kept; })(1);
    expect(await raised(TraceError, () => run((a: Tensor) => ops.add(a, kept!), 1))).toMatchInlineSnapshot(`
      "[TRACE] trace: a traced function may use its arguments, constants and values computed from them, got the value f32[] ('0') of another trace that has ended.
        Try: do not keep tensors in outer variables; return them from the function instead"
    `);
  });
  test('a tensor that leaves a loop', async () => {
    let kept: Tensor | undefined;
    expect(await raised(TraceError, () => run((a: Tensor) => { scan((c: Tensor, s: Tensor): [Tensor, Tensor] => { kept = c; return [c, s]; }, ops.zeros([3]), a); return ops.mul(kept!, 2); }, x))).toMatchInlineSnapshot(`
      "[TRACE] trace: a traced function may use its arguments, constants and values computed from them, got the value f32[3] of another trace that has ended.
        Try: do not keep tensors in outer variables; return them from the function instead"
    `);
  });
  test('a host array where a tensor belongs', async () => {
    expect(await raised(TraceError, () => grad((a: Tensor) => ops.sum(a))(x as unknown as Tensor))).toMatchInlineSnapshot(`
      "[TRACE] grad: an argument at '0' must be a tensor, got the host array f32[2,3].
        Try: call it inside a function given to compile, which turns host arrays into tensors"
    `);
    expect(await raised(TraceError, () => ops.add(x as unknown as Tensor, 1))).toMatchInlineSnapshot(`
      "[TRACE] add: at least one argument must be a tensor, got f32[2,3], 1.
        Try: compute with plain numbers in TypeScript, or make a constant"
    `);
  });
  test('only numbers', async () => {
    expect(await raised(TraceError, () => ops.add(1, 2))).toMatchInlineSnapshot(`
      "[TRACE] add: at least one argument must be a tensor, got 1, 2.
        Try: compute with plain numbers in TypeScript, or make a constant"
    `);
  });
  test('a gradient of something that is no scalar', async () => {
    expect(await raised(TraceError, () => run(grad((a: Tensor) => ops.mul(a, 2)), x))).toMatchInlineSnapshot(`
      "[TRACE] grad: the function must return one floating-point scalar, got f32[2,3].
        Try: reduce it with sum or mean, or use jacrev for functions of several outputs; with an auxiliary value, pass { aux: true }"
    `);
  });
  test('a result that is no tensor', async () => {
    expect(await raised(TraceError, () => run((a: Tensor) => ({ value: a, name: 'loss' }), 1))).toMatchInlineSnapshot(`"[TRACE] model: the result at 'name' must be a tensor, got 'loss'."`);
  });
});

describe('TreeError', () => {
  test('a tangent of another structure', async () => {
    expect(await raised(TreeError, () => run((p: { w: Tensor; b: Tensor }) => jvp((q: { w: Tensor; b: Tensor }) => ops.mul(q.w, q.b), [p], [{ b: p.b, w: p.w }])[1], { w: 1, b: 2 }))).toMatchInlineSnapshot(`
      "[TREE] jvp: trees must have one structure; expected leaf 0 at '0.w', got '0.b'.
        Try: pass trees with the same keys in the same order"
    `);
  });
  test('trees mapped together', async () => {
    expect(await raised(TreeError, () => mapTree((a: number, b: number) => a + b, { w: 1, layers: [1, 2] }, { w: 1, layers: [1] }))).toMatchInlineSnapshot(`
      "[TREE] mapTree: trees must have one structure; expected leaf 2 at 'layers.1', got '(none)'.
        Try: pass trees with the same keys in the same order"
    `);
  });
});

describe('ArgumentError', () => {
  test('no backend', async () => {
    const previous = setDefaultExecutor(null);
    try {
      expect(await raised(ArgumentError, () => compile((a: Tensor) => a)(1))).toMatchInlineSnapshot(`
        "[ARGUMENT] compile: a backend must have been chosen, got none.
          Try: import 'thalweg/node' (or 'thalweg/web' in a browser) once, or pass { executor }"
      `);
    } finally {
      setDefaultExecutor(previous);
    }
  });
  test('an argument that is no array', async () => {
    expect(await raised(ArgumentError, () => run((p: { w: Tensor }) => p.w, { w: Float32Array.of(1, 2) as unknown as NDArray }))).toMatchInlineSnapshot(`
      "[ARGUMENT] model: argument '0.w' must be a host array or a number, got a Float32Array.
        Try: wrap data with array(values, shape, dtype); close over settings instead of passing them"
    `);
    expect(await raised(ArgumentError, () => run((p: { rate: Tensor }) => p.rate, { rate: '0.1' as unknown as NDArray }))).toMatchInlineSnapshot(`
      "[ARGUMENT] model: argument '0.rate' must be a host array or a number, got string.
        Try: wrap data with array(values, shape, dtype); close over settings instead of passing them"
    `);
  });
  test('the wrong number of arguments to bind', async () => {
    expect(await raised(ArgumentError, () => (compile((a: Tensor, b: Tensor) => ops.add(a, b), { bind: 2, name: 'sum' }) as (...args: unknown[]) => unknown)(scalar(1)))).toMatchInlineSnapshot(`"[ARGUMENT] sum: 2 arguments to bind, got 1."`);
  });
  test('threads', async () => {
    expect(await raised(ArgumentError, () => compile((a: Tensor) => a, { executor: nodeExecutor({ threads: 0 }) })(1))).toMatchInlineSnapshot(`
      "[ARGUMENT] nodeRuntime: threads must be a positive integer, got 0.
        Try: leave it out to use what the machine gives"
    `);
  });
});

test('DataError: a file that is not what it says', async () => {
  expect(await raised(DataError, () => parseIdx(Uint8Array.of(1, 2, 3), 'train-images'))).toMatchInlineSnapshot(`"[DATA] parseIdx of train-images: the file must begin with a magic number of 4 bytes, got 3 bytes."`);
});

test('GraphError: a graph that uses a value before it is made', async () => {
  const input = placeholder({ shape: [3], dtype: 'float32' });
  const [first, second] = [ops.sin(input), ops.cos(ops.sin(input))];
  const graph = Object.assign(Object.create(Graph.prototype) as Graph, { inputs: [input], nodes: [second.node, first.node], outputs: [second] });
  expect(await raised(GraphError, () => typecheck(graph))).toMatchInlineSnapshot(`"[GRAPH] typecheck: node 0 (cos): input 0 must be made before it is used, got a value made later or elsewhere."`);
});

test('every class has a code of its own and keeps the parts of its message', () => {
  const classes = [ShapeError, DtypeError, AxisError, NonlinearError, LoweringError, NonFiniteError, TraceError, TreeError, ArgumentError, DataError, GraphError];
  const errors = classes.map((Kind) => new Kind({ operation: 'op', required: 'must be', received: 'that', remedy: 'this' }));
  expect(new Set(errors.map(({ code }) => code)).size).toBe(classes.length);
  for (const error of errors) {
    expect(error).toBeInstanceOf(ThalwegError);
    expect(error.message).toBe('op: must be, got that.\n  Try: this');
  }
});

test('the reference refuses an index out of range by itself', () => {
  expect(() => evaluateReference((a: Tensor, i: Tensor) => ops.take(a, i), x, array([7], [1], 'int32'))).toThrow(ShapeError);
});
