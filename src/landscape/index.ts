/** Loss landscapes: directions, lines and planes. @module */
export { filterNormalizedDirection, gaussianDirection, randomPlane } from './directions.ts';
export { normalizeDirection, NORMALIZATIONS, type BiasRule, type Normalization, type NormalizationOptions } from './normalization.ts';
export { axisCosines, makeAxis, orthogonalAxes, scaledAxis, treeHash, vectorAxis, type Axis, type AxisOrigin, type AxisProvenance } from './axes.ts';
export { conventionalAxis, randomAxes, type RandomAxesOptions, type ScaleConvention, type ScaleOptions } from './axes-random.ts';
export { eigenvectorAxes, gradientAxis, momentAxis, type EigenAxesOptions, type MomentAxisOptions } from './axes-curvature.ts';
export { axisBetween, planeThrough, type AxesThroughPoints } from './axes-points.ts';
export { groupAxes, type GroupAxesOptions } from './axes-groups.ts';
export { projectPath, trajectoryAxes, type PathProjection, type ProjectionMethod, type TrajectoryAxes, type TrajectoryOptions } from './trajectory.ts';
export type { BatchNormMode, BatchNormRecord, BatchNormSettings } from './batch-norm.ts';
export {
  accuracyMetric, eigenvalueMetric, errorKindOf, exampleMetric, gradientNormMetric, lossMetric, type CurvatureMetric, type ExampleMetric, type GradientMetric,
  type LandscapeMetric,
} from './metrics.ts';
export { cellSampler, type CellOptions, type CellSampler, type CellValue } from './sample-cells.ts';
export { coordinatesAlong, sampleBox, type AxisRange, type BoxOptions } from './box.ts';
export {
  cellCoordinates, cellCount, cellIndices, landscapeProgress, measurementAt, metricGrid, planeRows, type LandscapeRecord, type MetricGrid,
} from './record.ts';
export { lossLine, lossPlane, type LossLine, type LossPlane, type PlaneOptions } from './plane.ts';
export { sampleLandscape, symmetricRange, type LandscapeSample, type SampleOptions } from './sample.ts';
export { linearBarrier, type BarrierOptions, type LinearBarrier, type SplitBarrier } from './connectivity/barrier.ts';
export { descendValley, riverValley, stationaryHill, type RiverValley, type RiverValleyOptions, type ValleyDescent, type ValleyDescentOptions } from './river-valley.ts';
export { quadraticBarrier, quadraticRise, type LayerRise, type PredictedRise, type QuadraticBarrier } from './connectivity/quadratic-barrier.ts';
export { pathEvaluator, type ExampleLosses, type PathBatchNorm, type PathEvaluationOptions, type PathEvaluator } from './connectivity/path-evaluation.ts';
export type { PathMeasures, PathSample } from './connectivity/path-measures.ts';
export type { BarrierHeight } from './connectivity/path-refinement.ts';
export { curvePoint, findCurve, straightCurve, type Curve, type CurveOptions, type FoundCurve } from './connectivity/curve.ts';
export { curveLength, curveWeights, type CurveKind } from './connectivity/curve-geometry.ts';
export { curveConnectivity, type CurveConnectivity, type CurveConnectivityOptions } from './connectivity/curve-connectivity.ts';
export { curveBarrier, type CurveReport, type CurveReportOptions } from './connectivity/curve-report.ts';
export { combinePoints, parameterDistance } from './connectivity/path-points.ts';
export { variancePreservingMix } from './variance-preserving-mix.ts';
export {
  applyPermutations, composePermutations, identityPermutations, inversePermutations, permutationSpec, randomPermutations,
  type GroupDescription, type PermutationGroup, type Permutations, type PermutationSpec, type PermutedAxis,
} from './connectivity/permutation-spec.ts';
export { permutationSymmetries } from './connectivity/derive-permutations.ts';
export { bestAssignment } from './connectivity/assignment.ts';
export { matchWeights, type Alignment, type WeightMatching, type WeightMatchingOptions } from './connectivity/weight-matching.ts';
export { matchActivations, type ActivationMatching } from './connectivity/activation-matching.ts';
export { matchStraightThrough, type StraightThroughMatching, type StraightThroughOptions } from './connectivity/straight-through.ts';
export { representations, type Representation } from './connectivity/representations.ts';
export { edgeGraph, gabrielGraph, gridGraph, planeGrid, type Connectivity, type GabrielOptions, type GridOptions, type NeighbourGraph } from './topology/neighbours.ts';
export { mergeTree, simplify, type Branch, type LevelDirection, type MergeNode, type MergeTree, type MergeTreeOptions } from './topology/merge-tree.ts';
export { barcodeData, bottleneckDistance, landscaperDiagram, persistenceDiagram, persistenceValues, type Bar, type BottleneckOptions, type PersistencePoint } from './topology/persistence.ts';
export { basins, morseSmaleCells, type Basins } from './topology/basins.ts';
export { saddleMinimumPairs, smad, type SaddleMinimumPair, type Smad, type SmadOptions } from './topology/smad.ts';
export { criticalPoints, type CriticalPoints } from './topology/critical-points.ts';
export type { Sharpness, SharpnessCost, SharpnessOptions } from './sharpness/objective.ts';
export { adaptiveSharpness, keskarSharpness, samSharpness, worstCaseSharpness, type AdaptiveOptions, type KeskarOptions, type SamOptions, type WorstCaseOptions, type WorstCaseSharpness } from './sharpness/worst-case.ts';
export { averageSharpness, pacBayesFlatness, type AverageOptions, type AverageSharpness, type PacBayesFlatness, type PacBayesOptions } from './sharpness/average-case.ts';
export { fisherRaoIdentity, fisherRaoNorm, homogeneity, type FisherRaoOptions, type Homogeneity } from './sharpness/fisher-rao.ts';
export { hessianSharpness, negativeCurvature, type HessianSharpnessOptions, type NegativeCurvature, type NegativeCurvatureOptions, type SpectrumRule } from './sharpness/spectral.ts';
export { contourTree, type ContourArc, type ContourKind, type ContourNode, type ContourTree } from './topology/contour-tree.ts';
