/** Transformations of functions over tensors, and their compilation. @module */
export { ggnvp, grad, hvp, jvp, linearTranspose, linearize, valueAndGrad, vjp } from './autodiff.ts';
export { hessian, jacfwd, jacrev, vmap, type JacobianOf, type VmapOptions } from './vmap.ts';
export { checkpoint, cond, customJvp, customVjp, scan, whileLoop, type ScanOptions } from './control.ts';
export { compile, type Binder, type BindingCost, type BindOptions, type Bound, type Compiled, type CompileOptions, type HostArguments } from './compile.ts';
export { eliminateCommonSubexpressions, foldConstants, optimize, simplifyAlgebra } from './passes.ts';
export { computedResiduals, splitGraph, type SplitGraph } from './split.ts';
export type { Host, HostInput } from './trees.ts';
