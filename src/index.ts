/** Thalweg: an instrument for loss landscapes and gradient dynamics. @module */
export { array, filled, NDArray, scalar, toDtype, type DType, type Shape, type TypedArray } from './core/ndarray.ts';
export { Tensor, type Type } from './core/tensor.ts';
export { Graph } from './core/graph.ts';
export { printGraph } from './core/print.ts';
export { typecheck } from './core/typecheck.ts';
export { defaultExecutor, setDefaultExecutor, type Executor, type ModelRuntime, type Session } from './core/backend.ts';
export {
  ArgumentError, AxisError, DataError, DtypeError, GraphError, LoweringError, NonFiniteError, NonlinearError, ShapeError, ThalwegError, TraceError, TreeError,
} from './util/errors.ts';
export {
  checkpoint, compile, cond, customJvp, customVjp, ggnvp, grad, hessian, hvp, jacfwd, jacrev, jvp, linearize, scan, valueAndGrad, vjp, vmap, whileLoop,
} from './transforms/index.ts';
export { flatten, leaves, leavesWithPaths, mapTree, unflatten } from './tree/index.ts';
