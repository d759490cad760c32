/** Models of others as programs of the engine: parsing, classification of weights, running inside a trace. @module */
export { INTEGER_RANGE, type HostData, type OnnxType } from './element-types.ts';
export { foreignFile } from './foreign-file.ts';
export { type DeclaredDimension, type DeclaredValue, type ImportedNode, type ImportedProgram, type StoredTensor } from './graph.ts';
export { equalInitialisers, normaliseInitialisers, tieInitialisers } from './initialisers.ts';
export { type BatchNormalisation, type RunSettings } from './operator.ts';
export { operatorNames } from './operators/registry.ts';
export { classifyInitialisers, type Classified, type FrozenArray, type ImportedParameter } from './parameters.ts';
export { NEWEST_OPSET, OLDEST_OPSET, parseOnnx, type ParseOptions } from './parse.ts';
export { exporterRemark } from './remarks.ts';
export { nodesFor, runProgram, storedValue, type RunOptions } from './run.ts';
export { type ReadExternal } from './stored-tensor.ts';
export { nonDifferentiableNodes, unsupportedOperators, type NotDifferentiable } from './support.ts';
export { isFloatType, Value } from './value.ts';
