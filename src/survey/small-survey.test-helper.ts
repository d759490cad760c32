/** A survey of a small network that takes a second. */
import '../runtime/node.ts';
import { gaussianClusters, iris } from '../data/index.ts';
import { prepareProblem, type PreparedProblem } from './prepare.ts';
import { presets, type SurveySettings } from './presets.ts';

export const small: SurveySettings = { ...presets.economy, parts: presets.full.parts, epochs: 6, batchSize: 30, planePoints: 5, linePoints: 5, traceProbes: 6, densitySteps: 12, kernelExamples: 20, sharpnessSteps: 2 };
/** 67 parameters: their Hessian is decomposed whole. */
export const flowers = (): PreparedProblem => prepareProblem('mlp:4-8-3', iris());
/** 675 parameters: too many for that. */
export const clusters = (): PreparedProblem => prepareProblem('mlp:2-32-16-3', gaussianClusters({ samples: 120, testSamples: 60 }));
