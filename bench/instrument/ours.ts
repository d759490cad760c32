/** Thalweg's side of the comparison of measurements: a process of its own that speaks the line protocol of peers/README.md. @module */
import path from 'node:path';
import { setDefaultExecutor } from '../../src/core/backend.ts';
import { nodeExecutor } from '../../src/runtime/node.ts';
import { readCase, writeArray, type Case } from '../shared/manifest.ts';
import { infoOfThalweg, memory, milliseconds, resetPeakMemory, serve, THREADS } from '../shared/server.ts';
import type { Settings, TaskName } from './cases.ts';
import { Clock, tasks } from './tasks.ts';

interface TaskRequest { readonly task: TaskName; readonly variant: string; readonly settings: Settings; readonly out?: string }

let loaded: Case | undefined;

function load({ dir }: { readonly dir: string }): object {
  loaded = readCase(dir);
  return { model: loaded.model, variants: Object.keys(tasks) };
}

/** Runs a measurement; only what it needs is inside its time. */
async function task({ task: name, settings, out }: TaskRequest): Promise<object> {
  if (loaded === undefined || !Object.hasOwn(tasks, name)) throw new Error(`task must be one of ${Object.keys(tasks).join(', ')} of a loaded case; got ${name}`);
  const at = loaded;
  resetPeakMemory();
  const clock = new Clock();
  const [{ results, residual }, ms] = await milliseconds(() => tasks[name](at, settings, clock));
  const answer = { ms, ...clock.record(), peak_rss_mb: memory('VmHWM'), residual: residual === undefined ? null : await residual() };
  if (out === undefined) return answer;
  const dir = path.resolve(out);
  return { ...answer, dir, results: Object.fromEntries(Object.entries(results).map(([key, array]) => [key, writeArray(dir, `${key}.bin`, array)])) };
}

setDefaultExecutor(nodeExecutor({ threads: THREADS }));
await serve({ info: infoOfThalweg, load, task });
