/**
 * Imports what bench/peers/real_models.py exported and compares outputs and gradients in float32 with PyTorch in float64:
 * `node --conditions thalweg-source --import tsx scripts/real-models.ts FOLDER [PART OF A NAME ...]`, one row a file.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { NDArray, sizeOf, toDtype } from '../src/core/ndarray.ts';
import type { Tensor } from '../src/core/tensor.ts';
import { loadOnnx } from '../src/interop/node.ts';
import { parseNpz, type ImportedModel } from '../src/interop/index.ts';
import { crossEntropy } from '../src/losses/index.ts';
import { mean, reshape } from '../src/ops/index.ts';
import { nodeExecutor } from '../src/runtime/node.ts';
import { compile, grad } from '../src/transforms/index.ts';
import { key } from '../src/util/random/index.ts';

type Arrays = ReadonlyMap<string, NDArray>;
type Named = Record<string, NDArray>;

/** Errors beyond these, times PyTorch's own in float32 where that is larger, are findings. */
const [TOLERANCE, TIMES] = [2e-5, 10];
const executor = nodeExecutor({ threads: 1 });

const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const squares = (values: ArrayLike<number>): number => { let sum = 0; for (let i = 0; i < values.length; i++) sum += values[i] ** 2; return sum; };

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

function transposed({ data, shape: [rows, columns] }: NDArray): Float64Array {
  const result = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j];
  return result;
}

interface Agreement {
  readonly error: number;
  readonly byName: number;
  readonly byValue: number;
  /** Parameters that have no gradient of PyTorch, and the other way round. */
  readonly ownAlone: readonly string[];
  readonly theirsAlone: readonly string[];
}

/** Gradients by name; those left over by their values, as they are or transposed. */
function compareGradients(own: Named, all: Arrays): Agreement {
  const theirs = new Map([...all].filter(([name]) => name.startsWith('gradient:')).map(([name, array]) => [name.slice('gradient:'.length), array]));
  const total = [...theirs.values()].reduce((sum, { data }) => sum + squares(data), 0);
  const ownAlone: string[] = [];
  let [distance, byName, byValue] = [0, 0, 0];
  const left = Object.entries(own).filter(([name, gradient]) => {
    const other = theirs.get(name);
    if (other === undefined || other.shape.join() !== gradient.shape.join()) return true;
    distance += squaredDistance(gradient.data, other.data);
    theirs.delete(name);
    byName++;
    return false;
  });
  for (const [name, { data, shape }] of left) {
    const candidates = [...theirs].filter(([, other]) => other.data.length === data.length).flatMap(([other, array]) => {
      const flipped = array.shape.length === 2 && array.shape[0] === shape.at(-1) ? [{ other, distance: squaredDistance(data, transposed(array)) }] : [];
      return [{ other, distance: squaredDistance(data, array.data) }, ...flipped];
    });
    const best = candidates.toSorted((a, b) => a.distance - b.distance)[0];
    if (best === undefined || best.distance > 1e-6 * squares(data) + 1e-10 * total) { ownAlone.push(name); continue; }
    distance += best.distance;
    theirs.delete(best.other);
    byValue++;
  }
  return { error: Math.sqrt(distance / total), byName, byValue, ownAlone, theirsAlone: [...theirs.keys()] };
}

const brief = (names: readonly string[]): string => `${names.slice(0, 3).join(', ')}${names.length > 3 ? `, ... (${names.length})` : ''}`;
const inputsOf = (x: NDArray): NDArray => (x.dtype === 'int32' ? x : toDtype(x, 'float32'));

async function measure(imported: ImportedModel, arrays: Arrays): Promise<string> {
  const { params, state } = imported.model.init(key(0)) as unknown as { params: Named; state: Named };
  const targets = toDtype(arrays.get('y')!, 'int32');
  const outputsOf = (p: never, s: never, x: Tensor): Tensor => imported.model.apply(p, x, { mode: 'eval', state: s }).outputs;
  const loss = (p: never, s: never, x: Tensor, y: Tensor): Tensor => {
    const outputs = outputsOf(p, s, x);
    return mean(crossEntropy(reshape(outputs, [-1, outputs.shape.at(-1)!]), reshape(y, [sizeOf(y.shape)])));
  };
  const started = performance.now();
  const run = compile((p: never, s: never, x: Tensor, y: Tensor) => ({ outputs: outputsOf(p, s, x), gradient: grad(loss)(p, s, x, y) as Record<string, Tensor> }), { executor });
  const { outputs, gradient } = await run(params as never, state as never, inputsOf(arrays.get('x')!), targets) as unknown as { outputs: NDArray; gradient: Named };
  const seconds = (performance.now() - started) / 1000;
  await run.dispose();
  const expected = arrays.get('outputs')!;
  if (expected.shape.join() !== outputs.shape.join()) return `WRONG: outputs [${outputs.shape.join()}], PyTorch has [${expected.shape.join()}]`;
  const error = largest(outputs.data.map((x, i) => x - expected.data[i])) / Math.max(largest(expected.data), 1e-30);
  const agreement = compareGradients(gradient, arrays);
  const [outputs32, gradient32] = ['outputs32', 'gradient32'].map((name) => arrays.get(name)!.item());
  const isJoined = agreement.ownAlone.length > 0 || agreement.theirsAlone.length > 0;
  const isRight = error < Math.max(TOLERANCE, TIMES * outputs32) && (isJoined || agreement.error < Math.max(TOLERANCE, TIMES * gradient32));
  return [
    isRight ? (isJoined ? 'right, other parameters' : 'right') : 'WRONG', `outputs ${error.toExponential(1)} (PyTorch ${outputs32.toExponential(1)})`,
    ...(isJoined ? [] : [`gradient ${agreement.error.toExponential(1)} (PyTorch ${gradient32.toExponential(1)})`]),
    `${agreement.byName} parameters by name, ${agreement.byValue} by value`, `${seconds.toFixed(1)} s`,
    ...(agreement.ownAlone.length > 0 ? [`only in the file: ${brief(agreement.ownAlone)}`] : []), ...(agreement.theirsAlone.length > 0 ? [`only in PyTorch: ${brief(agreement.theirsAlone)}`] : []),
    ...imported.notices.slice(0, 2),
  ].join('; ');
}

/** A model of scikit-learn: its probabilities, from our logits. */
async function probabilities(imported: ImportedModel, arrays: Arrays): Promise<string> {
  const { params, state } = imported.model.init(key(0)) as unknown as { params: never; state: never };
  const run = compile((p: never, s: never, x: Tensor) => imported.model.apply(p, x, { mode: 'eval', state: s }).outputs, { executor });
  const outputs = await run(params, state, inputsOf(arrays.get('x')!));
  await run.dispose();
  const expected = arrays.get('probabilities')!;
  const [rows] = outputs.shape;
  const width = outputs.data.length / rows;
  const own = Array.from({ length: rows }, (_, i) => {
    const row = Array.from(outputs.data.subarray(i * width, (i + 1) * width));
    if (imported.loss === undefined) return row;
    if (imported.loss === 'binary-cross-entropy') { const p = 1 / (1 + Math.exp(-row[0])); return width === 1 && expected.shape[1] === 2 ? [1 - p, p] : row.map((z) => 1 / (1 + Math.exp(-z))); }
    const sum = row.reduce((all, z) => all + Math.exp(z), 0);
    return row.map((z) => Math.exp(z) / sum);
  }).flat();
  const error = own.length === expected.data.length ? largest(own.map((p, i) => p - expected.data[i])) : Infinity;
  return `${error < TOLERANCE ? 'right' : 'WRONG'}; probabilities ${error.toExponential(1)}; output '${imported.output}' [${outputs.shape.join()}], loss ${imported.loss ?? 'as the data'}; parameters ${imported.parameters.map(({ name }) => name).join(', ')}; frozen ${imported.frozen.map(({ name, reason }) => `${name} (${reason})`).join(', ') || 'nothing'}`;
}

const [folder, ...chosen] = process.argv.slice(2);
for (const file of readdirSync(folder).filter((name) => name.endsWith('.onnx') && (chosen.length === 0 || chosen.some((part) => name.includes(part)))).sort()) {
  const data = path.join(folder, file.replace(/-[^-]*\.onnx$/, '.npz'));
  if (!existsSync(data)) continue;
  try {
    const arrays = parseNpz(readFileSync(data), { name: data });
    const imported = await loadOnnx(path.join(folder, file));
    process.stdout.write(`${file}: ${await (arrays.has('probabilities') ? probabilities : measure)(imported, arrays)}\n`);
  } catch (error) {
    process.stdout.write(`${file}: REFUSED: ${(error as Error).message.slice(0, 600)}\n`);
  }
}
