/** `thalweg connect`: barriers between trained networks. @module */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { formatSeconds } from '../../charts/index.ts';
import { writeSafetensors } from '../../interop/node.ts';
import { nodeExecutor } from '../../runtime/node.ts';
import { checkpointOf, connect, connectFigures, connectReport, connectRows, trainPoints, type AnyPoint, type ConnectOptions } from '../../survey/index.ts';
import { EXIT, UsageError } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { distinctNames, readPoint } from '../measure.ts';
import { addProblemOptions, integer, problemOf, provenance, requireWritable, settingsOf, type ProblemOptions } from '../options.ts';
import { progressLine } from '../progress.ts';
import { alignedRows } from '../reporter.ts';
import { VERSION } from '../../util/version.ts';

interface Options extends ProblemOptions {
  readonly networks: number;
  readonly alignment: NonNullable<ConnectOptions['alignment']>;
  readonly points?: number;
}

/** The command with its options. */
export function connectCommand(): Command {
  const command = addProblemOptions(new Command('connect').description('Loss barriers between networks on the straight lines between them, before and after their hidden units are aligned. Trains networks from different seeds, or takes checkpoints.'), 'thalweg-out/connect');
  return command
    .option('--networks <n>', 'networks to train when there are no checkpoints', integer('networks', 2), 2)
    .addOption(new Option('--alignment <method>', 'how hidden units are matched').choices(['weights', 'activations', 'straight-through', 'none']).default('weights'))
    .option('--points <n>', 'points of a line', integer('points', 3))
    .action((model: string | undefined, options: Options) => run({ ...options, ...(model !== undefined && { model }) }));
}

async function run(options: Options): Promise<void> {
  const { weights = [], networks, alignment, points: grid, seed, threads, json } = options;
  if (weights.length === 1) throw new UsageError('--weights must name at least two checkpoints, got one');
  const text = json === true ? process.stderr : process.stdout;
  const started = performance.now();
  const prepared = await problemOf(options);
  const out = resolve(options.out);
  requireWritable(out);
  const given: AnyPoint[] = [];
  for (const path of weights) given.push(await readPoint(prepared.problem, path));
  text.write(`Thalweg ${VERSION}: ${prepared.problem.name}, seed ${seed}, preset ${options.preset}\n`);
  process.exitCode = await interruptible(process, async (signal) => {
    const line = progressLine(text, true);
    let part = '';
    const shared: ConnectOptions = {
      settings: settingsOf(options), seed, signal, alignment, executor: nodeExecutor(threads === undefined ? {} : { threads }), ...(grid !== undefined && { points: grid }),
      onProgress: (what, done, total) => { if (what !== part) line.start(part = what); line.update(done, total, what === 'pairs' ? 'pairs' : 'steps'); },
    };
    const seeds = Array.from({ length: networks }, (_, i) => seed + i);
    const trained = given.length > 0 ? [] : await trainPoints(prepared, seeds, shared);
    for (const point of trained) {
      await writeSafetensors(join(out, `seed-${point.seed}.safetensors`), checkpointOf(point), { model: prepared.problem.name, thalweg: VERSION, seed: String(point.seed) });
    }
    const points: readonly AnyPoint[] = given.length > 0 ? given : trained;
    const labels = given.length > 0 ? distinctNames(weights) : trained.map((point) => `seed ${point.seed}`);
    if (points.length < 2) {
      line.end('  interrupted or diverged before there were two networks');
      return signal.aborted ? EXIT.interrupted : EXIT.diverged;
    }
    const report = await connect(prepared, points, shared);
    line.end(`  ${report.pairs.length} ${report.pairs.length === 1 ? 'pair' : 'pairs'}`);
    writeFileSync(join(out, 'connect.json'), `${JSON.stringify({ ...report, labels, provenance: provenance(options) }, null, 1)}\n`);
    connectFigures(report, labels).forEach(({ name, svg }) => writeFileSync(join(out, `${name}.svg`), svg));
    writeFileSync(join(out, 'report.html'), connectReport(report, labels, provenance(options)));
    if (json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
    else text.write(`\n${alignedRows(connectRows(report, labels))}\n\n`);
    text.write(`${report.complete ? 'done' : 'incomplete'} in ${formatSeconds((performance.now() - started) / 1000)}: ${join(out, 'report.html')}\n`);
    return signal.aborted ? EXIT.interrupted : EXIT.ok;
  });
}
