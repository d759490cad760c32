/** What `thalweg weights` prints and writes. @module */
import type { WeightAnalysis, WeightLayer, WeightSummary } from '../../analysis/index.ts';
import { formatMeasurement, formatNumber, weightSpectrum } from '../../charts/index.ts';
import { alignedRows } from '../reporter.ts';

/** One file with what was measured of it. */
export interface MeasuredModel {
  readonly file: string;
  readonly analysis: WeightAnalysis;
  readonly summary: WeightSummary;
}

const number = (value: number | undefined, digits = 4): string => (value === undefined ? '-' : formatNumber(value, digits));

/** Cells of one layer: status apart from the value, and no number where there is none. */
function cells({ name, shape, tail, alphaNorms, norms, bulk, traceLog, bootstrap, plausibility, randomised }: WeightLayer, extra: { bootstrap: boolean; randomised: boolean }): string[] {
  const { fit } = tail;
  return [
    name, `[${shape.join(',')}]`, fit === undefined ? '-' : formatMeasurement(fit.alpha.value, bootstrap?.alpha.error ?? fit.alpha.error), number(fit?.distance, 3),
    number(alphaNorms?.alphaHat), number(norms.stableRank), number(bulk?.spikes), String(traceLog.count),
    ...(extra.bootstrap ? [bootstrap === undefined ? '-' : `${bootstrap.interval.map((x) => formatNumber(x, 3)).join('..')}`, plausibility === undefined ? '-' : formatMeasurement(plausibility.value, plausibility.error)] : []),
    ...(extra.randomised ? [number(randomised?.distance, 3), number(randomised?.beyond)] : []),
    tail.flag === undefined ? tail.status : `${tail.status}, ${tail.flag}`,
  ];
}

/** The layers of a model as aligned lines, the skipped ones with their reasons, the means, and the diagnosis. */
export function layerTable({ analysis: { layers, skipped, vectors }, summary }: MeasuredModel): string {
  const extra = { bootstrap: layers.some(({ bootstrap }) => bootstrap !== undefined), randomised: layers.some(({ randomised }) => randomised !== undefined) };
  const heading = ['layer', 'shape', 'α', 'D', 'α-hat', 'stable rank', 'spikes', 'ERG', ...(extra.bootstrap ? ['95 %', 'p'] : []), ...(extra.randomised ? ['shuffled JS', 'beyond'] : []), 'status'];
  const table = layers.length === 0 ? '' : `${alignedRows([heading, ...layers.map((layer) => cells(layer, extra))])}\n`;
  const left = skipped.map(({ name, shape, reason }) => `  skipped ${name} [${shape.join(',')}]: ${reason}\n`).join('');
  const means = [
    ['α', summary.alpha], ['α-hat', summary.alphaHat], ['log α norm', summary.logAlphaNorm], ['log norm', summary.logNorm], ['stable rank', summary.stableRank], ['entropy', summary.entropy],
  ] as const;
  const counts = Object.entries(summary.counts).map(([name, count]) => `${name} ${count}`).join(', ');
  const note = vectors > 0 ? `  (${vectors} vectors and scalars have no spectrum)\n` : '';
  return `\n${table}${left}${note}\n  means: ${means.map(([name, value]) => `${name} ${number(value)}`).join('   ')}\n${counts === '' ? '' : `  layers: ${counts}\n`}  ${summary.diagnosis}\n\n`;
}

/** The means of several models, one a line. */
export function modelTable(models: readonly MeasuredModel[]): string {
  const rows = models.map(({ file, summary }) => [file, number(summary.alpha), number(summary.alphaHat), number(summary.logNorm), number(summary.stableRank), number(summary.entropy)]);
  return `${alignedRows([['model', 'α', 'α-hat', 'log norm', 'stable rank', 'entropy'], ...rows])}\n\n`;
}

/** The spectrum of a layer as a figure, and a file name for it. */
export function layerFigure({ name, shape, spectrum, tail, bulk, randomised }: WeightLayer, file: string): { name: string; svg: string } {
  const { fit } = tail;
  const svg = weightSpectrum({
    eigenvalues: spectrum.eigenvalues, ...(randomised && { randomised: randomised.eigenvalues }), ...(bulk && { bulkEdge: bulk.upper }),
    ...(fit && { tail: { alpha: fit.alpha.value, error: fit.alpha.error, xmin: fit.xmin, xmax: fit.xmax } }),
  }, { title: name, subtitle: `[${shape.join(' × ')}] of ${file}${tail.status === 'fitted' ? '' : `: ${tail.status}`}` });
  return { name: name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/-$/, ''), svg };
}

/** Everything measured, eigenvalues to seven digits, as a value for JSON. */
export function weightsJson(models: readonly MeasuredModel[], provenance: Readonly<Record<string, string>>): unknown {
  const short = (values: Float64Array): number[] => Array.from(values, (x) => Number(x.toPrecision(7)));
  return {
    format: 'thalweg weights 1', provenance,
    models: models.map(({ file, analysis: { layers, ...rest }, summary }) => ({
      file, summary, ...rest,
      layers: layers.map(({ spectrum, randomised, ...layer }) => ({
        ...layer, eigenvalues: short(spectrum.eigenvalues), eigenvalueError: spectrum.error,
        ...(randomised && { randomised: { ...randomised, eigenvalues: short(randomised.eigenvalues) } }),
      })),
    })),
  };
}
