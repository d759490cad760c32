import { describe, expect, test } from 'vitest';
import type { ModelRuntime } from '../core/backend.ts';
import { array, filled, NDArray, scalar, type DType } from '../core/ndarray.ts';
import { ModelBuilder } from '../onnx/model.ts';
import { ArgumentError, LoweringError } from '../util/errors.ts';
import { nodeRuntime } from './node.ts';
import { webRuntime } from './ort-web.ts';

type Fill = (b: ModelBuilder, names: string[]) => [name: string, dtype: DType, shape: number[]][];

/** Builds, loads, runs and drops a model over the inputs' types. */
async function evaluate(runtime: ModelRuntime, inputs: NDArray[], fill: Fill): Promise<NDArray[]> {
  const { session } = await load(runtime, inputs, fill);
  try {
    return await session.run(inputs);
  } finally {
    await session.dispose();
  }
}

async function load(runtime: ModelRuntime, inputs: NDArray[], fill: Fill) {
  const b = new ModelBuilder();
  const names = inputs.map(({ dtype, shape }, i) => b.input(`x${i}`, dtype, shape));
  const outputs = fill(b, names).map(([name, dtype, shape], i) => b.output(name, dtype, shape, `y${i}`));
  return { session: await runtime.createSession(b.finish(), names, outputs) };
}

const negated: Fill = (b, [x]) => [[b.value('Neg', [x]), 'float32', [2]]];

describe.each([
  ['native', () => nodeRuntime({ threads: 2 })],
  ['WebAssembly', () => webRuntime({ threads: 1 })],
] as const)('ONNX Runtime, %s', (_, makeRuntime) => {
  test('every element type passes in and out', async () => {
    const runtime = await makeRuntime();
    for (const dtype of ['float32', 'float64', 'int32', 'bool'] as const) {
      const x = array([1, 0, 1, 1, 0, 1], [2, 3], dtype);
      const [y] = await evaluate(runtime, [x], (b, [name]) => [[b.value('Transpose', [name], { perm: [1, 0] }), dtype, [3, 2]]]);
      expect(y).toEqual(array([1, 1, 0, 0, 1, 1], [3, 2], dtype));
    }
  });

  test('scalars, arrays without elements, passed-through inputs and constants are outputs like any other', async () => {
    const runtime = await makeRuntime();
    const big = filled([400], 2.5);
    const outputs = await evaluate(runtime, [scalar(3), array([], [0, 2])], (b, [x, empty]) => [
      [b.value('Mul', [x, x]), 'float32', []], [b.value('Neg', [empty]), 'float32', [0, 2]], [x, 'float32', []], [b.constant(big), 'float32', [400]],
    ]);
    expect(outputs).toEqual([scalar(9), array([], [0, 2]), scalar(3), big]);
  });

  test('a view into a larger buffer, and shared memory, are read as what they show', async () => {
    const runtime = await makeRuntime();
    const view = new NDArray(Float32Array.of(9, 1, 2, 9).subarray(1, 3), [2], 'float32');
    const shared = new NDArray(new Float32Array(new SharedArrayBuffer(8)), [2], 'float32');
    shared.data.set([3, 4]);
    expect(await evaluate(runtime, [view], negated)).toEqual([array([-1, -2])]);
    expect(await evaluate(runtime, [shared], negated)).toEqual([array([-3, -4])]);
  });

  test('outputs share no memory with inputs or with other runs, and outlive the session', async () => {
    const runtime = await makeRuntime();
    const x = array([1, 2]);
    const { session } = await load(runtime, [x], (b, [name]) => [[b.value('Reshape', [name, b.int64([2, 1])]), 'float32', [2, 1]]]);
    const [first] = await session.run([x]);
    first.data[0] = 7;
    const [second] = await session.run([x]);
    await session.dispose();
    expect(x).toEqual(array([1, 2]));
    expect([first, second]).toEqual([array([7, 2], [2, 1]), array([1, 2], [2, 1])]);
  });

  test('a large initialiser arrives whole, and two runs are equal bit by bit', async () => {
    const runtime = await makeRuntime();
    const weights = new NDArray(Float32Array.from({ length: 300 * 200 }, (_value, i) => Math.sin(i)), [300, 200], 'float32');
    const x = new NDArray(Float32Array.from({ length: 64 * 300 }, (_value, i) => Math.cos(i)), [64, 300], 'float32');
    const { session } = await load(runtime, [x], (b, [name]) => [[b.value('MatMul', [name, b.initializer('w', weights)]), 'float32', [64, 200]]]);
    const [[a], [b]] = await Promise.all([session.run([x]), session.run([x])]);
    await session.dispose();
    expect(a).toEqual(b);
    let expected = 0;
    for (let k = 0; k < 300; k++) expected += Math.cos(63 * 300 + k) * Math.sin(k * 200 + 199);
    expect(a.data[64 * 200 - 1]).toBeCloseTo(expected, 4);
  });

  test('a loop whose body uses a value of the graph around it', async () => {
    const runtime = await makeRuntime();
    const [final, steps] = await evaluate(runtime, [array([1, 2]), array([10, 20])], (b, [start, increment]) => {
      const body = b.subgraph((inner) => {
        inner.input('i', 'int64', []);
        const go = inner.input('go', 'bool', []);
        const state = inner.input('state', 'float32', [2]);
        const next = inner.value('Add', [state, increment]);
        inner.output(go, 'bool', []);
        inner.output(next, 'float32', [2]);
        inner.output(next, 'float32', [2], inner.fresh());
      });
      const [last, all] = b.node('Loop', [b.int64([3], []), '', start], { body }, 2);
      return [[last, 'float32', [2]], [all, 'float32', [3, 2]]];
    });
    expect(final).toEqual(array([31, 62]));
    expect(steps).toEqual(array([[11, 22], [21, 42], [31, 62]]));
  });

  test('a missing kernel is an error that names the operation and keeps the cause', async () => {
    const runtime = await makeRuntime();
    const error = await evaluate(runtime, [scalar(1, 'float64')], (b, [x]) => [[b.value('Erf', [x]), 'float64', []]]).catch((e: unknown) => e as LoweringError);
    expect(error).toBeInstanceOf(LoweringError);
    expect(error).toMatchObject({ code: 'LOWERING', message: expect.stringMatching(/: load: every operation needs a kernel for its element types; Erf has none, got .*Erf\(13\)/s) });
    expect((error as LoweringError).cause).toBeInstanceOf(Error);
  });

  test('bytes that are no model, inputs that do not fit and indices out of bounds are errors with the runtime\'s words', async () => {
    const runtime = await makeRuntime();
    await expect(runtime.createSession(Uint8Array.of(1, 2, 3), [], [])).rejects.toThrow(/protobuf parsing failed/);
    const { session } = await load(runtime, [array([1, 2])], negated);
    await expect(session.run([])).rejects.toThrow(ArgumentError);
    await expect(session.run([array([1, 2, 3])])).rejects.toThrow(/run: the program must run on these inputs, got .*invalid dimensions for input: x0/s);
    await session.dispose();
    await expect(evaluate(runtime, [array([5], [1], 'int32')], (b, [i]) => [[b.value('Gather', [b.constant(array([1, 2])), i]), 'float32', [1]]])).rejects.toThrow(LoweringError);
  });

  test('dispose waits for runs under way, may be repeated, and ends the session', async () => {
    const runtime = await makeRuntime();
    const { session } = await load(runtime, [array([1, 2])], negated);
    const pending = session.run([array([1, 2])]);
    await session.dispose();
    await session.dispose();
    expect(await pending).toEqual([array([-1, -2])]);
    await expect(session.run([array([1, 2])])).rejects.toThrow(/must not have been disposed/);
  });

  test('the thread count reported is the one in use', async () => {
    expect((await nodeRuntime({ threads: 3 })).threads).toBe(3);
    // Not a cross-origin isolated page, hence no shared memory.
    expect((await webRuntime({ threads: 3 })).threads).toBe(1);
  });

  test('a thread count below one is refused', async () => {
    await expect(nodeRuntime({ threads: 0 })).rejects.toThrow(ArgumentError);
    await expect(webRuntime({ threads: 1.5 })).rejects.toThrow(ArgumentError);
  });
});

test('a session on 2 threads and one on 1 thread agree, with the options that change how it runs', async () => {
  const x = new NDArray(Float32Array.from({ length: 128 * 128 }, (_, i) => Math.sin(i)), [128, 128], 'float32');
  const product: Fill = (b, [name]) => [[b.value('MatMul', [name, name]), 'float32', [128, 128]]];
  const [reference] = await evaluate(await nodeRuntime({ threads: 1 }), [x], product);
  for (const options of [{ threads: 2 }, { threads: 2, spinning: true }, { arena: false }, { memoryPattern: false }, { optimization: 'disabled' }] as const) {
    const [result] = await evaluate(await nodeRuntime(options), [x], product);
    expect(Math.max(...result.data.map((value, i) => Math.abs(value - reference.data[i])))).toBeLessThan(1e-4);
  }
});
