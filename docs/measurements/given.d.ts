/** What the examples of docs/measurements take as given: blocks fenced as ```ts check see these names. */
type Given = import('thalweg/nn').MlpParameters;
type GivenPoint = import('thalweg/problem').Point<Given>;

/** A model with a loss and data; a point of it; two trained ones; one before and one after a step. */
declare const problem: import('thalweg/problem').Problem<Given> & { readonly test: import('thalweg/data').Split };
declare const point: GivenPoint;
declare const first: GivenPoint;
declare const second: GivenPoint;
declare const before: GivenPoint;
declare const after: GivenPoint;
/** Parameters along training. */
declare const checkpoints: readonly GivenPoint['params'][];
/** Two directions in parameter space. */
declare const directions: readonly [GivenPoint['params'], GivenPoint['params']];
/** A symmetric operator, and a vector of its size. */
declare const operator: import('thalweg/curvature').LinearOperator;
declare const gradient: Float64Array;
/** Inputs [n, ...]; targets and outputs at them, row by row; examples. */
declare const images: import('thalweg').NDArray;
declare const testImages: import('thalweg').NDArray;
declare const targets: Float64Array;
declare const oneHot: Float64Array;
declare const initialOutputs: Float64Array;
declare const sample: import('thalweg/data').Split;
/** Stops what it is given to. */
declare const signal: AbortSignal;
