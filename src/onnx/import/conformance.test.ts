/** A selection of the ONNX project's node tests, one or two for each operator; `npm run conformance` runs all of them. */
import { readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { ThalwegError } from '../../util/errors.ts';
import { ModelProtoSchema } from '../proto/onnx_pb.ts';
import { checkGradient, runOnce, tensorsOf, ways, Wrong, type Stored, type Way } from './node-test.test-helper.ts';
import { parseOnnx } from './parse.ts';

const files = unzipSync(readFileSync(new URL('../../../test/golden/onnx/conformance.zip', import.meta.url)));
const names = [...new Set(Object.keys(files).map((file) => file.split('/')[0]))];

function tensors(name: string, kind: 'input' | 'output', declared: readonly number[]): Stored[] {
  const list = declared.flatMap((_, i) => { const file = `${name}/${kind}_${i}.pb`; return Object.hasOwn(files, file) ? [files[file]] : []; });
  const made = tensorsOf(list, declared, kind);
  if (typeof made === 'string') throw new Error(made);
  return made;
}

test(`${names.length} node tests: numbers as stored, derivatives as by finite differences`, { timeout: 60_000 }, async () => {
  const wrong: string[] = [];
  let checked = 0;
  for (const name of names) {
    const model = files[`${name}/model.onnx`];
    const { graph } = fromBinary(ModelProtoSchema, model);
    const [inputs, outputs] = ([['input', graph!.input], ['output', graph!.output]] as const).map(([kind, values]) =>
      tensors(name, kind, values.map(({ type }) => (type?.value.case === 'tensorType' ? type.value.value.elemType : 0))));
    const program = parseOnnx(model);
    let passed: Way | undefined;
    for (const way of ways) {
      // Some inputs must be known beforehand: what is refused in one way is right in another.
      try { await runOnce(program, inputs, outputs, way); passed ??= way; } catch (error) { if (!(error instanceof ThalwegError) || error instanceof Wrong) wrong.push(`${name}: ${(error as Error).message}`); }
    }
    if (passed === undefined) { wrong.push(`${name} is refused`); continue; }
    const [gradient, reason] = checkGradient(program, inputs, passed);
    if (gradient === 'failed') wrong.push(`${name}: derivative ${reason}`);
    if (gradient === 'passed') checked++;
  }
  expect(wrong).toEqual([]);
  expect(names.length).toBeGreaterThan(120);
  expect(checked).toBeGreaterThan(60);
});
