/** The rows of docs/features.md: what there is, the test that shows it, the page that describes it. Titles are literal. */
import type { Absent, Evidence, FeatureGroup } from './features-page.ts';

const test = (file: string, title: string): Evidence => [file, title];
const curvature = (file: string, title: string): Evidence => test(`src/curvature/${file}.test.ts`, title);
const landscape = (file: string, title: string): Evidence => test(`src/landscape/${file}.test.ts`, title);
const connectivity = (file: string, title: string): Evidence => landscape(`connectivity/${file}`, title);
const topology = (file: string, title: string): Evidence => landscape(`topology/${file}`, title);
const analysis = (file: string, title: string): Evidence => test(`src/analysis/${file}.test.ts`, title);
const kernels = (file: string, title: string): Evidence => test(`src/kernels/${file}.test.ts`, title);
const page = (name: string): string => `measurements/${name}.md`;

const derivatives: FeatureGroup = {
  title: 'Derivatives and operators',
  rows: [
    {
      feature: 'Hessian-vector product', names: { curvature: ['hessian'], '.': ['hvp'] }, page: page('curvature-matrices'),
      tests: [curvature('hessian', 'is the dense Hessian of the mean loss, in chunks and blocks too'), curvature('hessian', "%s of squared error: X'X / N, no factor 2 lost or doubled")],
    },
    {
      feature: 'GGN-vector product', names: { curvature: ['ggn', 'residualHessian'], '.': ['ggnvp'] }, page: page('curvature-matrices'),
      tests: [curvature('hessian', "GGN: symmetric, positive semi-definite, J'HJ"), curvature('residual-hessian', 'Hessian = GGN + residual: $name')],
    },
    {
      feature: 'Fisher: empirical, Monte Carlo, exact', names: { curvature: ['fisher', 'empiricalFisher'] }, page: page('curvature-matrices'),
      tests: [
        curvature('fisher', 'exact: equals the GGN, in chunks too, with no factor of two or of the outputs lost'),
        curvature('fisher', 'Monte Carlo: deterministic, the same in chunks, tends to the exact one as one over the root of the draws'),
        curvature('fisher', "empirical: the outer products of the gradients at the data's targets"),
      ],
    },
    {
      feature: 'Jacobian and transpose', names: { curvature: ['jacobian', 'ntkOperator', 'outputHessian'], '.': ['jacfwd', 'jacrev', 'vjp'] }, page: page('curvature-matrices'),
      tests: [curvature('jacobian', 'is the dense one, in unequal chunks and blocks too'), curvature('jacobian', 'multiplyTransposed is its transpose, alone and in blocks')],
    },
    {
      feature: 'Hessian in the activations of any layer, and in the outputs', names: { curvature: ['activationHessian', 'activationNames', 'outputHessian'] }, page: page('curvature-matrices'),
      tests: [
        curvature('activation-hessian', 'MLP, %s: in unequal chunks and blocks too'), curvature('activation-hessian', 'convolutional network: before and after a convolution, and after a flattening'),
        curvature('activation-hessian', "J' (this) J is the Hessian's block of a layer's own parameters, in which its output is linear"), curvature('activation-hessian', 'of the models there are'),
      ],
    },
    {
      feature: 'KFAC, EKFAC and KFOC', names: { curvature: ['kfac', 'ekfac', 'kfoc'] }, page: page('kfac'),
      tests: [
        curvature('kfac', "one example: every layer's block of the GGN ($name)"), curvature('kfac', 'deep linear network with squared error: slopes do not depend on inputs, so any number of examples'),
        curvature('kfac', 'is no farther from the %s Fisher than KFAC, in the Frobenius norm ($1.name)'), curvature('kfac', "exact form is the inverse of the damped matrix; EKFAC's too"),
        curvature('kfoc', 'to each block of the %s Fisher: as far as the singular values left out, and never farther than KFAC ($1.name)'), curvature('kfoc', 'one example: the block itself'),
      ],
    },
    {
      feature: 'Exact diagonal of Hessian and GGN', names: { curvature: ['hessianDiagonal', 'ggnDiagonal', 'exactDiagonal'] }, page: page('curvature-matrices'),
      tests: [curvature('diagonal', 'diagonals of Hessian and GGN are those of the dense matrices: $name')],
    },
    {
      feature: 'Per-example gradients and their variance', page: page('gradient-statistics'),
      names: { analysis: ['eachExampleGradient', 'measureGradientStatistics'], curvature: ['gradientCovariance', 'gradientNoise'] },
      tests: [
        analysis('gradient-statistics', 'are those of data sets of one example, however they are cut'),
        curvature('gradient-covariance', "covariance and second moment are those of the examples' gradients"), curvature('gradient-noise', 'two groups, by hand'),
      ],
    },
    {
      feature: 'Inverse: CG, LSMR, Neumann', names: { curvature: ['conjugateGradient', 'lsmr', 'neumannInverse', 'inverse', 'inverseOfLowRankUpdate'] }, page: page('inverse-products'),
      tests: [
        curvature('inverse', 'by every method'), curvature('inverse', 'several right-hand sides to the tolerance, the residual measured'), curvature('inverse', 'tall, damped and not'),
        curvature('inverse', 'its residual is the next term: s sum (I - s A)^k b by hand'),
      ],
    },
    {
      feature: 'Operators of layers and of submatrices', names: { curvature: ['layerOperators', 'layerBlockDiagonal', 'submatrix', 'blockDiagonal'] }, page: page('curvature-matrices'),
      tests: [
        curvature('layers', 'one operator a %s, named as its group, is that diagonal block'), curvature('layers', 'the block diagonal has zeros between layers, and works for any maker'),
        curvature('algebra', 'parameters by name: the submatrix of a Hessian is the Hessian of those parameters'),
      ],
    },
    {
      feature: 'Operator algebra, adjoint, export', names: { curvature: ['sumOf', 'productOf', 'scaled', 'shifted', 'transposed', 'gram', 'projectedOff', 'lowRankOperator', 'preconditioned', 'denseMatrix'] },
      page: page('inverse-products'), except: 'exports are dense matrices; there is no SciPy here',
      tests: [
        curvature('algebra', 'sum, multiple, shift'), curvature('algebra', 'product, transpose, gram, symmetric part'),
        curvature('algebra', 'submatrix by ranges, block diagonal, low rank, outer product, projection'), curvature('operator', 'dense by unit vectors'),
      ],
    },
    {
      feature: 'Linearised and Taylor-expanded network', names: { kernels: ['taylorModel', 'taylorExpansion'], '.': ['linearize'] }, page: page('tangent-kernel'),
      tests: [kernels('taylor', 'to order %i errs by the power above it'), kernels('taylor', 'of a polynomial is the polynomial, from its degree on')],
    },
    {
      feature: 'Forward-mode jvp', names: { '.': ['jvp', 'jacfwd', 'linearize'] }, page: 'autodiff.md',
      tests: [test('test/transforms.test.ts', 'jacfwd = jacrev = closed form, over trees'), test('test/golden.test.ts', 'ONNX Runtime in float32 agrees with JAX')],
    },
    {
      feature: 'Determinism check of data and model', names: { curvature: ['requireDeterministic'] }, page: page('curvature-matrices'),
      tests: [curvature('determinism', 'refuses products that change, up to the tolerance'), curvature('determinism', 'catches a model that draws its own random numbers when traced, and says where')],
    },
    {
      feature: 'float64 path', names: { '.': ['toDtype'], node: ['nodeExecutor'] }, page: 'autodiff.md',
      tests: [test('test/golden.test.ts', 'ONNX Runtime in float64 agrees with JAX'), curvature('problem-operator', 'unequal chunks agree with one batch in %s to %f')],
    },
  ],
};

const spectra: FeatureGroup = {
  title: 'Spectra',
  rows: [
    {
      feature: 'Top-k eigenpairs', names: { curvature: ['topEigenpairs', 'powerIteration'] }, commands: ['spectrum'], page: page('eigenvalues'),
      tests: [
        curvature('eigenpairs', 'the ten largest and three smallest of a bulk with outliers, within their bounds'), curvature('eigenpairs', 'blocks find every copy of a multiple eigenvalue'),
        curvature('eigenpairs', 'finds what Lanczos finds, at either end and both'), curvature('power-iteration', 'value, vector and number of steps of its source, number by number'),
      ],
    },
    {
      feature: 'Most negative eigenvalues, both ends', names: { curvature: ['topEigenpairs', 'inertia', 'eigenvalueCount'] }, page: page('eigenvalues'),
      tests: [curvature('eigenpairs', 'both ends in one call'), curvature('eigenpairs', 'largest in magnitude, of either sign'), curvature('inertia', 'of a small operator: exact numbers that add up')],
    },
    {
      feature: 'Spectral density by Lanczos quadrature', names: { curvature: ['spectralDensity'] }, page: page('spectral-density'),
      tests: [curvature('spectral-density', 'with all steps and many probes it is the true density, within its errors'), curvature('spectral-density', 'nodes and weights reproduce moments of the probe: exactly up to 2 steps - 1')],
    },
    {
      feature: 'Density on a logarithmic axis', names: { curvature: ['spectralDensity'] }, page: page('spectral-density'),
      tests: [
        curvature('spectral-density', 'on the scale %s has unit mass over its coordinate and scales with the operator'),
        curvature('spectral-density-peers', 'the logarithmic one by hand: of ln(|A| + epsilon), per unit of eigenvalue'),
      ],
    },
    {
      feature: "Hutchinson's trace", names: { curvature: ['hutchinsonTrace', 'hutchinsonDiagonal'] }, page: page('traces'),
      tests: [curvature('trace', '95 % intervals cover the truth for 90 to 99 % of 200 seeds, whole and by group'), curvature('trace', "by PyHessian's rule stops where one more vector changes the mean by less than the tolerance")],
    },
    {
      feature: 'Hutch++, XTrace, XDiag', names: { curvature: ['hutchPlusPlus', 'xTrace', 'xDiag'] }, page: page('traces'),
      tests: [
        curvature('trace', 'is exact where the rank is below the sketch'), curvature('xtrace', 'XTrace is its definition with the basis of the others, computed anew for each; its error joins spread and jackknife'),
        curvature('xtrace', 'XDiag is its definition, entry by entry'),
      ],
    },
    {
      feature: 'Frobenius norm', names: { curvature: ['frobeniusNorm', 'stableRank'] }, page: page('traces'),
      tests: [curvature('norms', 'squared is the mean of |Az|^2 from the shorter side; the norm is its root within the bias that the jackknife takes away')],
    },
    {
      feature: 'Error bars and convergence reports', names: { problem: ['interval', 'bounded', 'estimated', 'jackknifed'], curvature: ['subsamplingErrors'] }, page: page('traces'),
      tests: [
        curvature('coverage', 'on the spectrum %s'), curvature('eigenpairs', 'bounds hold when the budget ends early, and say so'),
        curvature('subsampling', 'intervals for the eigenvalue and the trace of %s'), test('src/problem/measurement.test.ts', 'quantile of Student t with %d degrees of freedom'),
      ],
    },
    {
      feature: 'Spectral generalisation criteria', names: { landscape: ['negativeCurvature', 'hessianSharpness'], curvature: ['effectiveDimension', 'effectiveRank'] }, page: page('sharpness'),
      tests: [
        landscape('sharpness/fisher-rao', "the example of Loss Landscape Analysis's definitions"), landscape('sharpness/sharpness', 'largest eigenvalue and trace against the dense matrix'),
        curvature('effective-rank', 'of a diagonal matrix, where signs leave no variance, all are their closed forms'),
      ],
    },
  ],
};

const geometry: FeatureGroup = {
  title: 'Landscape geometry',
  rows: [
    {
      feature: 'Lines and planes', names: { landscape: ['lossLine', 'lossPlane', 'sampleBox'] }, commands: ['plane', 'line'], page: page('landscape-planes'),
      tests: [landscape('plane', 'x runs along the first direction and the columns, y along the second and the rows'), landscape('plane', 'of a quadratic is its parabola')],
    },
    { feature: 'Boxes of any dimension', names: { landscape: ['sampleBox'] }, page: page('landscape-planes'), tests: [landscape('box', 'in a box of three axes')] },
    {
      feature: 'Filter normalisation', names: { landscape: ['normalizeDirection', 'randomAxes'] }, page: page('landscape-axes'),
      tests: [landscape('axes', '%s, by hand, with biases left out'), landscape('axes', 'adds the epsilon of Li et al. to the norm of a filter, and not to that of a tensor')],
    },
    {
      feature: 'Layer, weight and model normalisation', names: { landscape: ['normalizeDirection', 'NORMALIZATIONS'] }, page: page('landscape-axes'),
      tests: [landscape('axes', '%s, by hand, with biases left out'), landscape('axes', 'copies biases, as their code does without biasbn, or keeps them as one filter')],
    },
    {
      feature: 'Hessian-eigenvector axes', names: { landscape: ['eigenvectorAxes'] }, page: page('landscape-axes'),
      tests: [landscape('axes', 'eigenvectors of both ends, in order, of length one, with their eigenvalues')],
    },
    { feature: 'Optimizer-moment axes', names: { landscape: ['momentAxis', 'gradientAxis'] }, page: page('landscape-axes'), tests: [landscape('axes', "moments: Adam's direction is m / (sqrt(v) + epsilon)")] },
    {
      feature: 'Principal axes of a trajectory, projection', names: { landscape: ['trajectoryAxes', 'projectPath'] }, page: page('landscape-axes'),
      tests: [landscape('trajectory', 'are its right singular vectors about the %s, with their shares of variance'), landscape('trajectory', 'go through the final point, and every point keeps its distance from the plane')],
    },
    {
      feature: 'Batch-norm statistics moved or recalibrated', names: { landscape: ['sampleBox', 'axisBetween', 'linearBarrier'] }, page: page('landscape-planes'),
      tests: [
        landscape('batch-norm', 'recalibrated: the statistics of a pass over the data in batches of %i, whatever the momentum'),
        landscape('batch-norm', 'moved: between two points both ends have their own statistics'),
      ],
    },
    {
      feature: 'Eigenvalues of the Hessian over the plane', names: { landscape: ['eigenvalueMetric'] }, page: page('landscape-planes'),
      tests: [landscape('box', 'in one pass are what they are one by one'), landscape('box', 'a few Lanczos steps give a bound that holds')],
    },
    {
      feature: 'Any metric on the grid', names: { landscape: ['exampleMetric', 'accuracyMetric', 'gradientNormMetric'] }, page: page('landscape-planes'),
      tests: [landscape('box', 'in one pass are what they are one by one')],
    },
    {
      feature: 'Resumable grid', names: { landscape: ['sampleBox', 'landscapeProgress'] }, page: page('landscape-planes'),
      tests: [landscape('box', 'that was interrupted, even twice and through JSON, continues to the same bits')],
    },
  ],
};

const connections: FeatureGroup = {
  title: 'Connectivity',
  rows: [
    {
      feature: 'Linear interpolation', names: { landscape: ['linearBarrier', 'axisBetween', 'combinePoints'] }, commands: ['connect'], page: page('mode-connectivity'),
      tests: [connectivity('barrier', 'finds a known barrier, where it is, and the sign of the deviation'), landscape('axes', 'a line goes from 0 to 1, with the statistics')],
    },
    {
      feature: 'Barrier as a number, with its error', names: { landscape: ['linearBarrier', 'curveBarrier'], analysis: ['modeConnectivity'] }, page: page('mode-connectivity'),
      tests: [
        connectivity('barrier', 'refines a maximum between grid points, and says by how much'),
        connectivity('barrier', 'pairs examples: its standard error is that of the differences, and covers the expectation'),
      ],
    },
    {
      feature: 'Search for Bézier and polygonal curves', names: { landscape: ['findCurve', 'curvePoint', 'curveBarrier'] }, page: page('mode-connectivity'),
      tests: [connectivity('curve', '%s: goes around the barrier between two minima of a circle'), connectivity('curve', 'bezier: C(n, k) t^k (1 - t)^(n - k)')],
    },
    {
      feature: 'Permutation alignment', page: page('permutation-alignment'),
      names: { landscape: ['permutationSymmetries', 'matchWeights', 'matchActivations', 'matchStraightThrough', 'applyPermutations'] },
      tests: [
        connectivity('matching', 'brings a permuted copy back exactly: the same bytes, barrier zero'), connectivity('derive-permutations', '%s: any permutation leaves the function alone, to rounding'),
        connectivity('assignment', 'is the best of all permutations, with ties and negative gains too'),
      ],
    },
    {
      feature: 'Distance of models, CKA', names: { analysis: ['weightSimilarity', 'weightAlignment', 'linearAlignment', 'minibatchAlignment'], landscape: ['representations'] }, page: page('similarity'),
      tests: [
        analysis('similarity', "biased: |Y' X|^2 / (|X' X| |Y' Y|) of centred features (Kornblith et al. 2019, equation 7)"),
        analysis('similarity', 'distance, relative distance and cosine, whole and by layer'), analysis('similarity', 'alignment of weights: one for equal and for rotated columns, below one otherwise; scale does not count'),
      ],
    },
  ],
};

const kernelRows: FeatureGroup = {
  title: 'Kernels',
  rows: [
    {
      feature: 'Empirical NTK', names: { kernels: ['empiricalNtk', 'empiricalNngp'] }, page: page('tangent-kernel'),
      tests: [kernels('empirical-ntk', "%s by %s is J J' written out"), kernels('empirical-ntk', 'is the mean of products of outputs')],
    },
    {
      feature: 'Four ways to the NTK, one chosen by cost', names: { kernels: ['ntkImplementations', 'empiricalNtk'], curvature: ['ntkOperator'] }, page: page('tangent-kernel'),
      tests: [
        kernels('empirical-ntk', "%s by %s is J J' written out"), kernels('empirical-ntk', 'the choice follows the predicted cost: factors for a traced dense net, no Jacobian for all pairs of many outputs'),
        curvature('jacobian', "NTK operator: J J', exactly symmetric to rounding"),
      ],
    },
    {
      feature: 'Infinite-width NNGP and NTK', names: { kernels: ['infiniteKernel', 'infiniteDense', 'infiniteConv', 'infiniteAttention'] }, page: page('infinite-width'),
      tests: [kernels('infinite/golden', 'against neural-tangents'), kernels('infinite/kernel', 'finite networks approach it as one over the square root of their width')],
    },
    {
      feature: 'Gradient-flow and GP prediction, largest learning rate', names: { kernels: ['gradientFlow', 'ensemblePosterior', 'gaussianProcess', 'maximalLearningRate'] }, page: page('tangent-kernel'),
      tests: [
        kernels('predictions', 'gradient_descent_mse at $time, rate $learningRate, regularisation $regularisation, absolute $absolute'), kernels('predictions', 'gradient_descent_mse_ensemble by $kernel at $time'),
        kernels('predictions', 'maximal learning rate'), kernels('predictions', 'gradient descent on the linearised network follows the predicted flow, on training and on other examples'),
      ],
    },
  ],
};

const weights: FeatureGroup = {
  title: 'Weight spectra',
  rows: [
    {
      feature: 'Power law of eigenvalues: alpha, xmin, D', names: { analysis: ['analyzeWeights', 'fitPowerLaw', 'alphaNorms'] }, commands: ['weights'], page: page('weight-spectra'),
      tests: [analysis('weights/power-law', "WeightWatcher's numbers of $name"), analysis('weights/power-law', 'finds the exponent of draws within its error'), analysis('weights/spectrum-numbers', "WeightWatcher's numbers of the second golden set")],
    },
    {
      feature: 'Marchenko-Pastur fit, spikes, randomised spectrum', names: { analysis: ['fitMarchenkoPastur', 'marchenkoPasturDensity', 'jensenShannon'] }, page: page('weight-spectra'),
      tests: [
        analysis('weights/spectrum-numbers', 'noise of %i x %i has sigma 1, no spikes, and its edges'), analysis('weights/spectrum-numbers', "planted directions are spikes, and lower the noise's share"),
        analysis('weights/analyze', 'a shuffled layer of noise is like itself, a structured one is not'),
      ],
    },
    {
      feature: 'detX (ERG) condition', names: { analysis: ['traceLog'] }, page: page('weight-spectra'),
      tests: [analysis('weights/spectrum-numbers', "WeightWatcher's numbers"), analysis('weights/spectrum-numbers', 'does not overflow, and ends where all are passed')],
    },
    {
      feature: 'SVD smoothing and SVD sharpness of weights', names: { analysis: ['smoothWeights', 'sharpenWeights'] }, page: page('weight-spectra'),
      tests: [
        analysis('weights/smoothing', 'keeps rank and leading singular values; the error is the norm of those dropped (Eckart, Young)'),
        analysis('weights/smoothing', '%s by %f: planted directions go, the others stay as they are'), analysis('weights/smoothing', 'of the shuffled matrix: a huge entry goes, what training made stays'),
      ],
    },
  ],
};

const topologyRows: FeatureGroup = {
  title: 'Topology',
  rows: [
    {
      feature: 'Merge tree, contour tree, Morse-Smale cells', names: { landscape: ['mergeTree', 'simplify', 'contourTree', 'basins', 'morseSmaleCells', 'criticalPoints'] }, page: page('topology'),
      tests: [
        topology('merge-tree', 'agrees with the components at every level (%s)'),
        topology('contour-tree', 'as many arcs cross a level as the level set has components: %s'),
        topology('contour-tree', 'is a tree with the join tree and the split tree of the landscape: %s'), topology('basins', 'each sample belongs to the minimum that steepest descent leads to'),
        topology('basins', 'minima minus saddles plus maxima is the Euler characteristic, with holes and ties too'),
      ],
    },
    {
      feature: 'Persistence barcode, bottleneck distance, SMAD', names: { landscape: ['persistenceDiagram', 'barcodeData', 'bottleneckDistance', 'smad'], charts: ['barcode', 'mergeTreeFigure'] }, page: page('topology'),
      tests: [
        topology('persistence', 'of a line: bars from minima to the saddles that join them'), topology('persistence', 'agrees with all matchings, is symmetric and fulfils the triangle inequality'),
        topology('basins', 'of a line by hand: every minimum with the saddle next to it, the deepest included'),
      ],
    },
  ],
};

const others: FeatureGroup = {
  title: 'Models, probes, scale, output and reliability',
  rows: [
    {
      feature: 'safetensors read', names: { interop: ['parseSafetensors', 'decodeTensor', 'encodeSafetensors'] }, commands: ['weights'], page: page('weight-spectra'),
      tests: [test('src/interop/safetensors.test.ts', 'all 65,536 halves are what IEEE 754 says, exactly'), test('src/interop/safetensors.test.ts', 'is written as the reference implementation writes it, byte for byte')],
    },
    {
      feature: 'Sharded and lazy reading of weights', names: { 'interop/node': ['openSafetensors'] }, page: page('weight-spectra'),
      tests: [test('src/interop/safetensors.node.test.ts', 'are one model, named by the index or by the folder'), test('src/interop/safetensors.node.test.ts', 'are written whole and read one tensor at a time')],
    },
    {
      feature: 'Transformers, attention', names: { nn: ['transformer', 'multiHeadAttention'], kernels: ['infiniteAttention'] }, page: 'autodiff.md',
      tests: [test('src/nn/layers.test.ts', 'agrees with the values of JAX, derivatives included'), test('src/nn/models/models.test.ts', "transformer computes the peer's formula")],
    },
    {
      feature: 'Custom loss', names: { curvature: ['hessian', 'fisher', 'distributionOf'] }, page: page('curvature-matrices'),
      tests: [curvature('fisher', "losses of one's own name their distribution; a summed squared error has the weight of one term")],
    },
    {
      feature: 'Frozen and unused parameters', names: { problem: ['ParameterSpace'], curvature: ['hessian'] }, page: page('curvature-matrices'),
      tests: [curvature('problem-operator', '%s: parameters that the model does not use have zero rows and columns, frozen ones none')],
    },
    {
      feature: 'Noise tests, GSNR, CABS, TIC', names: { analysis: ['gradientStatistics', 'measureGradientStatistics'] }, page: page('gradient-statistics'),
      tests: [analysis('gradient-statistics', "three gradients, Cockpit's numbers"), analysis('gradient-statistics', 'agree with the definitions whatever the groups')],
    },
    {
      feature: 'Step size relative to the local quadratic (alpha)', names: { analysis: ['stepAlpha', 'measureStepAlpha'] }, page: page('gradient-statistics'),
      tests: [analysis('gradient-statistics', 'on (x - 1)^2 / 2 from 0'), analysis('gradient-statistics', 'of gradient steps on a problem: short ones stop before the minimum of the line, long ones beyond')],
    },
    {
      feature: 'Accumulation over a whole data set', names: { problem: ['chunkedSum', 'evaluate', 'evaluateGradient'] }, page: 'architecture.md',
      tests: [test('src/problem/chunked.test.ts', 'equals one big batch in $dtype, with a smaller last chunk, kept or recomputed'), test('src/problem/chunked.test.ts', 'adds in float64: many small terms onto a large one')],
    },
    {
      feature: 'Runs in a browser', names: { web: ['webExecutor', 'webRuntime'] }, page: 'architecture.md',
      tests: [test('test/browser/browser.test.ts', 'Chromium'), test('test/browser/browser.test.ts', 'the bundle for a page is whole, and imports nothing of Node')],
    },
    {
      feature: 'Interactive 3-D view', names: { charts: ['reportPage'] }, commands: ['survey', 'plane'], page: page('landscape-planes'),
      tests: [test('test/peers-surface.test.ts', 'reads the loss of the place under the pointer, from every side')],
    },
    {
      feature: 'Portable result file', names: { survey: ['SURVEY_SCHEMA', 'survey'], landscape: ['sampleBox'] }, commands: ['survey'], page: 'survey-json.md',
      tests: [test('src/survey/record.test.ts', 'docs/survey-json.md names every path of real records, and no other'), landscape('box', 'says by what conventions it was made, in plain JSON')],
    },
    {
      feature: 'Command line', commands: ['survey', 'spectrum', 'plane', 'line', 'sharpness', 'kernel', 'connect', 'weights'], page: '../README.md',
      tests: [test('test/cli.test.ts', 'writes report, record and figures, and ends with a table'), test('test/cli-instruments.test.ts', 'a checkpoint gives what was measured when it was trained'), test('test/cli-weights.test.ts', 'with everything asked for writes JSON and figures, the same for the same seed')],
    },
    {
      feature: 'Seeds explicit in the API', names: { random: ['key', 'split', 'normal'] }, page: 'architecture.md',
      tests: [
        test('src/util/random/philox.test.ts', 'known answer of Random123: %s'), test('src/survey/survey.test.ts', 'is a function of its seed, costs apart'), test('test/peers-traps.test.ts', 'same seed, same bytes: %s'),
      ],
    },
    {
      feature: 'Tests assert values', names: { testing: ['checkGrads', 'denseMatrix', 'requireClose', 'checkConvergence'] }, page: '../CONTRIBUTING.md',
      tests: [test('test/golden.test.ts', 'the reference in float64 agrees with JAX'), test('src/testing/testing.test.ts', 'checkConvergence stops when the mean is close, and refuses a biased estimator')],
    },
    {
      feature: 'Model untouched, also after an exception', names: { landscape: ['sampleBox', 'sampleLandscape'] }, page: page('landscape-planes'),
      tests: [landscape('box', 'a scan leaves the model as it was, also when it fails'), landscape('sample', 'leave the parameters as they were, also after a failure')],
    },
  ],
};

export const featureGroups: readonly FeatureGroup[] = [derivatives, spectra, geometry, connections, kernelRows, weights, topologyRows, others];

/** Rows of the same groups that do not hold. */
export const absent: readonly Absent[] = [
  { feature: 'SciPy export', why: 'another language; `denseMatrix` gives a Float64Array, and every solver takes the operator itself' },
  { feature: 'Complex parameters', why: 'no complex element type' },
];
