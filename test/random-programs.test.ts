/**
 * Random programs under random stacks of transformations, from numbered seeds: derivatives against finite differences,
 * reverse against forward mode, `vmap` against a loop, optimised against plain graphs, split against whole, ONNX Runtime
 * against the reference. A failure names the seed and the program. `THALWEG_SEEDS=20000` searches longer.
 */
import { describe, expect, test } from 'vitest';
import { evaluate } from '../src/core/evaluate.ts';
import { Graph } from '../src/core/graph.ts';
import { NDArray, toDtype } from '../src/core/ndarray.ts';
import { placeholder, type Tensor } from '../src/core/tensor.ts';
import { typecheck } from '../src/core/typecheck.ts';
import '../src/runtime/node.ts';
import { stackArrays } from '../src/testing/batching.ts';
import { checkBatch, checkGrads, requireClose } from '../src/testing/index.ts';
import { traceFlat } from '../src/testing/evaluate.ts';
import { compile, optimize, splitGraph } from '../src/transforms/index.ts';
import { LoweringError } from '../src/util/errors.ts';
import { inputsOf, randomProgram, type Program } from './random-program.ts';

const seeds = Number(process.env.THALWEG_SEEDS ?? 720);
const blocks = 12;
/** Every how many seeds a program also runs on ONNX Runtime. */
const stride = 6;

const typesOf = ({ shapes, f }: Program): Tensor[] => new Graph(...trace(shapes, f)).outputs as Tensor[];
const trace = (shapes: Program['shapes'], f: Program['f']): [Tensor[], Tensor[]] => {
  const inputs = shapes.map((shape) => placeholder({ shape, dtype: 'float64' }));
  return [inputs, f(inputs)];
};

/** Every graph of the program gives the values of the plain one. */
function checkGraphs(program: Program, inputs: readonly NDArray[], dice: number): NDArray[] {
  const graph = traceFlat(program.f, inputs);
  const expected = evaluate(graph, inputs);
  expected.forEach(({ data }) => data.forEach((x: number) => { if (!Number.isFinite(x)) throw new Error(`the program gives ${x}`); }));
  const optimized = optimize(graph);
  typecheck(optimized);
  const tolerances = { relative: 1e-9, absolute: 1e-10, scaled: 1e-10 };
  requireClose(evaluate(optimized, inputs), expected, tolerances, 'optimised against plain');
  const count = dice % (inputs.length + 1);
  const { bound, call } = splitGraph(optimized, count);
  typecheck(bound);
  typecheck(call);
  requireClose(evaluate(call, [...evaluate(bound, inputs.slice(0, count)), ...inputs.slice(count)]), expected, tolerances, `split after ${count} inputs against whole`);
  return expected;
}

async function checkBackend(program: Program, inputs: readonly NDArray[], expected: readonly NDArray[]): Promise<void> {
  const run = compile((...x: Tensor[]) => program.f(x));
  const float32 = (await run(...inputs.map((input) => toDtype(input, 'float32')))).map((output) => toDtype(output, 'float64'));
  requireClose(float32, [...expected], { relative: 1e-3, absolute: 1e-3, scaled: 1e-3 }, 'ONNX Runtime in float32');
  try {
    requireClose(await run(...inputs), [...expected], { relative: 1e-9, absolute: 1e-10, scaled: 1e-10 }, 'ONNX Runtime in float64');
  } catch (error) {
    if (!(error instanceof LoweringError)) throw error;
  } finally {
    await run.dispose();
  }
}

/** What goes wrong with a seed; undefined when nothing does. */
async function checkSeed(seed: number): Promise<string | undefined> {
  const program = randomProgram(seed, typesOf);
  const inputs = inputsOf(program, seed);
  try {
    const expected = checkGraphs(program, inputs, seed);
    checkGrads((...x: Tensor[]) => program.f(x), inputs, { order: 1, modes: program.forwardOnly ? ['forward', 'linearize'] : undefined, tolerance: 2e-6, step: 2 ** -9, seed });
    const others = inputsOf(program, seed + 1_000_000);
    const mapped = inputs.map((_, i) => i === 0 || (seed + i) % 3 !== 0);
    checkBatch((...x: Tensor[]) => program.f(x), inputs.map((input, i) => (mapped[i] ? stackArrays([input, others[i]]) : input)), { inAxes: mapped.map((flag) => (flag ? 0 : null)), relative: 1e-9, absolute: 1e-10, scaled: 1e-10 });
    if (seed % stride === 0) await checkBackend(program, inputs, expected);
  } catch (error) {
    return `seed ${seed}, shapes ${JSON.stringify(program.shapes)}, program: ${program.description}: ${String(error)}`;
  }
  return undefined;
}

describe('random programs under random transformations', () => {
  test.each(Array.from({ length: blocks }, (_, block) => [Math.floor(block * seeds / blocks), Math.floor((block + 1) * seeds / blocks)]))('seeds %i to %i', async (from, to) => {
    const failures: string[] = [];
    for (let seed = from; seed < to; seed++) failures.push(...[await checkSeed(seed)].filter((text) => text !== undefined));
    expect(failures).toEqual([]);
  }, 120_000);
});
