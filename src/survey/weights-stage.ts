/** What the weight matrices look like by themselves: their spectra, and the tails of these. @module */
import { analysisWork, analyzeWeights, summarizeWeights, weightsOf, type WeightLayer } from '../analysis/index.ts';
import { key, split } from '../util/random/index.ts';
import type { WeightLayerRecord } from './record.ts';
import type { Stage } from './stage.ts';

/** Spectra of all weight matrices of the model. */
export const weightsStage: Stage = {
  name: 'weights',
  title: 'spectra of the weight matrices',
  work: ({ point }) => ({ multiplications: analysisWork(weightsOf(point.params)), programs: 1 }),
  async run({ point, seed, executor, signal }, report) {
    const analysis = await analyzeWeights(weightsOf(point.params), {
      key: split(key(seed), 'survey', 'weights'), executor, signal, onProgress: ({ layer, layers, name }) => report(layer, layers, name),
    });
    const { diagnosis } = summarizeWeights(analysis);
    return { weights: { diagnosis, layers: analysis.layers.map(recordOf), skipped: analysis.skipped.map(({ name, reason }) => ({ name, reason })) } };
  },
};

function recordOf({ name, form, rows, columns, tail, alphaNorms, norms, bulk, traceLog, spectrum }: WeightLayer): WeightLayerRecord {
  return {
    name, form, rows, columns, status: tail.status, ...(tail.alpha && { alpha: tail.alpha }), ...(tail.fit && { xmin: tail.fit.xmin, distance: tail.fit.distance }),
    ...(alphaNorms && { alphaHat: alphaNorms.alphaHat }), stableRank: norms.stableRank, logSpectralNorm: norms.logSpectralNorm,
    ...(bulk && { spikes: bulk.spikes, bulkEdge: bulk.upper }), traceLog: traceLog.count, eigenvalues: Array.from(spectrum.eigenvalues),
  };
}
