/** Lines, planes and boxes of any number of axes, measured cell by cell into a record that can be continued. @module */
import { ArgumentError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { Sha256 } from '../util/sha256.ts';
import { defaultExecutor } from '../core/backend.ts';
import { printGraph } from '../core/print.ts';
import type { NDArray } from '../core/ndarray.ts';
import { subset, type Split } from '../data/index.ts';
import { examplesOf, ParameterSpace, type Examples, type Point, type Problem } from '../problem/index.ts';
import { compile } from '../transforms/index.ts';
import { axisCosines, treeHash, type Axis } from './axes.ts';
import { accuracyMetric, errorKindOf, lossMetric, type LandscapeMetric } from './metrics.ts';
import { cellCoordinates, cellCount, type LandscapeRecord, type MetricGrid } from './record.ts';
import { cellSampler, metricSums, type CellValue } from './sample-cells.ts';
import { symmetricRange, type SampleOptions } from './sample.ts';

/** The coordinates along an axis: evenly spaced about zero, evenly spaced between two ends, or given one by one. */
export type AxisRange = { readonly radius: number; readonly points: number } | { readonly from: number; readonly to: number; readonly points: number } | readonly number[];

/** What is measured where, and from which record on. */
export interface BoxOptions extends SampleOptions {
  /** One for all axes, or one for each. Default: radius 1; 41 points for up to two axes, 9 for more. */
  readonly ranges?: AxisRange | readonly AxisRange[];
  /** What is measured at each cell. Default: the loss, and the accuracy where targets are labels. */
  readonly metrics?: readonly LandscapeMetric[];
  /** A record of the same box that was interrupted: only its unfinished cells are evaluated. */
  readonly resume?: LandscapeRecord;
}

/**
 * Measures any metrics at `point + sum_k c_k axes[k]` for all coordinates of a box. Interrupted by the signal it returns what is done, and
 * takes the record back as `resume`; the continued record equals, bit for bit, one that was never interrupted. Cells where the
 * loss is not finite are null: never repaired. The parameters are only read.
 *
 * @throws ArgumentError when `resume` belongs to another box, naming what differs; for repeated metric names; TreeError or ShapeError for
 * axes not shaped like the parameters.
 */
export async function sampleBox<P, State>(problem: Problem<P, State>, point: Point<P, State>, axes: readonly Axis<P, State>[], data: Split, options: BoxOptions = {}): Promise<LandscapeRecord> {
  const { ranges, metrics = [lossMetric, accuracyMetric], resume, signal, onProgress, ...cellOptions } = options;
  const start = performance.now();
  requireDistinct(metrics);
  const coordinates = coordinatesOf(axes.length, ranges);
  // What the record says decides the last bits, so a continued run takes it over.
  const settings = { ...cellOptions, ...(resume && { ...(resume.chunk > 0 && { chunk: resume.chunk }), cells: cellOptions.cells ?? resume.cells, distribute: cellOptions.distribute ?? resume.distributed }) };
  const sampler = cellSampler(problem, point, axes, data, metrics, settings);
  const identity: Identity = {
    format: 'thalweg landscape', version: 1, problem: problem.name, fingerprint: await fingerprint(problem, point, data, metrics),
    axes: axes.map(({ provenance }) => provenance), cosines: axisCosines(axes).map((row) => row.map(finiteOrNull)), coordinates,
    batchNorm: sampler.batchNorm, examples: data.size, cells: sampler.cells, distributed: settings.distribute ?? true,
    precision: new ParameterSpace(point.params).dtype, executor: (settings.executor ?? defaultExecutor()).name,
  };
  if (resume !== undefined) requireSameBox(resume, identity, metrics, cellOptions.chunk);
  const grid = new Grid(cellCount(coordinates), metrics, resume);
  try {
    const pending = grid.pending();
    for (let at = 0; at < pending.length && signal?.aborted !== true; at += sampler.cells) {
      const group = pending.slice(at, at + sampler.cells);
      const values = await sampler.evaluate(group.map((cell) => cellCoordinates(coordinates, cell)));
      group.forEach((cell, i) => grid.set(cell, values[i]));
      onProgress?.(grid.done, grid.size);
    }
  } finally {
    await sampler.dispose();
  }
  return { ...identity, chunk: sampler.cost?.chunk ?? resume?.chunk ?? settings.chunk ?? 0, finished: grid.finished, metrics: grid.metrics(), seconds: (resume?.seconds ?? 0) + (performance.now() - start) / 1000 };
}

type Identity = Omit<LandscapeRecord, 'chunk' | 'finished' | 'metrics' | 'seconds'>;
const finiteOrNull = (x: number): number | null => (Number.isFinite(x) ? x : null);

/** The cells in the making. */
class Grid {
  readonly size: number;
  readonly finished: boolean[];
  readonly #metrics: readonly LandscapeMetric[];
  readonly #values: (number | null)[][];
  readonly #errors: (number | null)[][];
  /** Metrics that these outputs and targets do not have. */
  readonly #absent = new Set<number>();
  done: number;

  constructor(size: number, metrics: readonly LandscapeMetric[], resume: LandscapeRecord | undefined) {
    this.size = size;
    this.#metrics = metrics;
    this.finished = resume === undefined ? new Array<boolean>(size).fill(false) : [...resume.finished];
    this.done = this.finished.filter(Boolean).length;
    const before = (name: string): MetricGrid | undefined => resume?.metrics.find((metric) => metric.name === name);
    this.#values = metrics.map(({ name }) => [...(before(name)?.values ?? new Array<null>(size).fill(null))]);
    this.#errors = metrics.map(({ name }) => [...(before(name)?.errors ?? new Array<null>(size).fill(null))]);
    if (resume !== undefined && this.done > 0) metrics.forEach(({ name }, i) => { if (before(name) === undefined) this.#absent.add(i); });
  }

  pending(): number[] { return this.finished.flatMap((is, cell) => (is ? [] : [cell])); }

  set(cell: number, values: readonly (CellValue | null)[]): void {
    values.forEach((found, i) => {
      if (found === null) this.#absent.add(i);
      this.#values[i][cell] = finiteOrNull(found?.value ?? NaN);
      this.#errors[i][cell] = finiteOrNull(found?.error ?? NaN);
    });
    this.finished[cell] = true;
    this.done++;
  }

  metrics(): MetricGrid[] {
    return this.#metrics.flatMap((metric, i) => (this.#absent.has(i) ? [] : [{ name: metric.name, errorKind: errorKindOf(metric), values: this.#values[i], errors: this.#errors[i] }]));
  }
}

function requireDistinct(metrics: readonly LandscapeMetric[]): void {
  const names = metrics.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new ArgumentError({ operation: 'sampleBox', required: 'metrics must have distinct names', received: `'${twice}' twice` });
}

function coordinatesOf(axes: number, ranges: BoxOptions['ranges']): number[][] {
  const usual: AxisRange = { radius: 1, points: axes <= 2 ? 41 : 9 };
  if (ranges === undefined || !isList(ranges)) return Array.from({ length: axes }, () => coordinatesAlong(ranges ?? usual));
  if (ranges.length !== axes) throw new ArgumentError({ operation: 'sampleBox', required: `ranges must be one for all axes or one for each of ${axes}`, received: String(ranges.length) });
  return ranges.map(coordinatesAlong);
}

/** A list of ranges, rather than one range given by its numbers. */
const isList = (ranges: AxisRange | readonly AxisRange[]): ranges is readonly AxisRange[] => Array.isArray(ranges) && typeof ranges[0] !== 'number';

/** Coordinates of a range. @throws ArgumentError for numbers that are not finite, or fewer points than there must be. */
export function coordinatesAlong(range: AxisRange): number[] {
  if ('radius' in range) return symmetricRange(range.radius, range.points);
  if (!('from' in range)) {
    if (range.length === 0) throw new ArgumentError({ operation: 'sampleBox', required: 'a range must hold at least one coordinate', received: 'none' });
    return range.map((x) => requireNumber('sampleBox', 'a coordinate', x));
  }
  const { from, to, points } = range;
  requireNumber('sampleBox', 'from', from);
  requireNumber('sampleBox', 'to', to);
  requireInteger('sampleBox', 'points', points, 2);
  const last = points - 1;
  // From both ends, as in symmetricRange; the ends themselves exactly.
  return Array.from({ length: points }, (_, i) => (i === 0 ? from : i === last ? to : (from * (last - i) + to * i) / last));
}

/** SHA-256 of the traced metrics, the centre and the data. */
async function fingerprint<P, State>(problem: Problem<P, State>, point: Point<P, State>, data: Split, metrics: readonly LandscapeMetric[]): Promise<string> {
  const { dtype } = new ParameterSpace(point.params);
  const few = examplesOf(subset(data, Math.min(2, data.size)), dtype);
  const program = compile((params: P, state: State, batch: Examples) => metricSums(problem, metrics, params, state, batch), { name: `landscape of ${problem.name}` });
  const hash = new Sha256().update(printGraph(program.graph(point.params as never, point.state as never, few as never)));
  for (const metric of metrics) hash.update(`${metric.kind} ${metric.name}${metric.kind === 'curvature' ? ` ${metric.products} ${metric.tolerance}` : ''}\n`);
  hash.update(treeHash({ params: point.params, state: point.state })).update(treeHash({ inputs: data.inputs, targets: data.targets } satisfies Examples<NDArray>));
  await program.dispose();
  return hash.hex();
}

function requireSameBox(resume: LandscapeRecord, identity: Identity, metrics: readonly LandscapeMetric[], chunk: number | undefined): void {
  const refuse = (what: string, wanted: unknown, came: unknown): never => {
    throw new ArgumentError({ operation: 'sampleBox', required: `resume must be a record of this box: its ${what} must be ${short(wanted)}`, received: short(came), remedy: 'start a new record, or pass what the record was made with' });
  };
  const compare = (what: string, wanted: unknown, came: unknown): void => { if (JSON.stringify(wanted) !== JSON.stringify(came)) refuse(what, wanted, came); };
  compare('format', [identity.format, identity.version], [resume.format, resume.version]);
  compare('axes', identity.axes.map(({ hash }) => hash), resume.axes.map(({ hash }) => hash));
  for (const field of ['problem', 'coordinates', 'batchNorm', 'examples', 'cells', 'distributed', 'precision', 'executor', 'fingerprint'] as const) compare(field, identity[field], resume[field]);
  if (chunk !== undefined && resume.chunk > 0) compare('chunk', chunk, resume.chunk);
  const known = new Set(metrics.map(({ name }) => name));
  const odd = resume.metrics.find(({ name, values }) => !known.has(name) || values.length !== resume.finished.length);
  if (odd !== undefined || resume.finished.length !== cellCount(identity.coordinates)) refuse('metrics', [...known], resume.metrics.map(({ name }) => name));
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 90 ? `${text.slice(0, 87)}...` : text;
}
