/** docs/errors.md against the code: every class with its code, and messages as they are raised. */
import { expect, test } from 'vitest';
import type { Graph } from '../src/core/graph.ts';
import { placeholder, type Node } from '../src/core/tensor.ts';
import { parseIdx } from '../src/data/idx.ts';
import * as api from '../src/index.ts';
import { array, compile, grad, mapTree, setDefaultExecutor, typecheck, whileLoop, type Tensor } from '../src/index.ts';
import { add, erf, exp, less, log, matmul, mul, sum } from '../src/ops/index.ts';
import { nodeExecutor } from '../src/runtime/node.ts';
import { CheckError, requireClose } from '../src/testing/index.ts';
import { ThalwegError } from '../src/util/errors.ts';
import { read } from './tree-files.ts';

const executor = nodeExecutor({ threads: 1 });
const row = array([[1, 2, 3]]);

/** One way into each error, in the order of the page. */
const examples: Readonly<Record<string, () => unknown>> = {
  ShapeError: () => compile((x: Tensor, y: Tensor) => matmul(x, y), { executor })(row, row),
  DtypeError: () => compile((x: Tensor) => exp(x), { executor })(array([1, 2, 3], [3], 'int32')),
  AxisError: () => compile((x: Tensor) => sum(x, 2), { executor })(row),
  NonlinearError: () => compile((x: Tensor) => grad((y: Tensor) => sum(whileLoop((z: Tensor) => less(sum(z), 100), (z: Tensor) => mul(z, 2), y)))(x), { executor })(row),
  LoweringError: () => compile((x: Tensor) => erf(x), { executor })(array([1, 2], [2], 'float64')),
  NonFiniteError: () => compile((x: Tensor) => log(x), { executor, requireFinite: true, name: 'loss' })(array([1, -1])),
  async TraceError() {
    const kept: Tensor[] = [];
    await compile((x: Tensor) => { kept.push(x); return exp(x); }, { executor })(row);
    await compile((x: Tensor) => add(x, kept[0]), { executor })(row);
  },
  TreeError: () => mapTree((a: number, b: number) => a + b, { w: 1, b: 2 }, { w: 1 } as never),
  ArgumentError() {
    const previous = setDefaultExecutor(null);
    // The executor is asked for before the first promise.
    try { return compile((x: Tensor) => exp(x))(row); } finally { setDefaultExecutor(previous); }
  },
  DataError: () => parseIdx(Uint8Array.of(0x1f, 0x8b, 8, 0), 'train-images'),
  GraphError() {
    // Bypasses the constructor, which would refuse an input from elsewhere.
    const y = exp(placeholder({ shape: [], dtype: 'float32' }));
    typecheck({ inputs: [], outputs: [y], nodes: [y.node as Node] } satisfies Graph);
  },
  CheckError: () => requireClose(array([1, 2]), array([1, 3])),
};

const page = read('docs/errors.md');
/** Class -> code and message, as the page has them. */
const documented = new Map([...page.matchAll(/^## (\w+Error) `([A-Z_]+)`\n([\s\S]*?)(?=^## |(?![\s\S]))/gm)]
  .map(([, name = '', code = '', body = '']) => [name, { code, message: /^```text\n([\s\S]*?)\n```$/m.exec(body)?.[1] }] as const));

test('the page has every class of errors', () => {
  const classes = Object.entries(api).filter(([, value]) => typeof value === 'function' && value.prototype instanceof ThalwegError).map(([name]) => name);
  expect([...documented.keys()].sort()).toEqual([...classes, CheckError.name].sort());
  expect(Object.keys(examples).sort()).toEqual([...documented.keys()].sort());
});

test.each(Object.entries(examples))('%s has the code and the message of the page', async (name, provoke) => {
  const error: unknown = await Promise.resolve().then(provoke).then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(ThalwegError);
  const { code, message } = error as ThalwegError;
  expect({ name: (error as Error).name, code, message }).toEqual({ name, ...documented.get(name) });
});

test('codes without a class are on the page', () => {
  for (const code of ['CONVERGENCE', 'INVARIANT']) expect(page).toContain(`\`${code}\``);
});
