/** Files of other systems: models as ONNX, weights as safetensors, curves for TensorBoard. `interop/node.ts` adds files on disk. @module */
export {
  decodeTensor, MAXIMUM_HEADER_BYTES, parseSafetensors, parseSafetensorsHeader, safetensorsHeaderLength,
  type SafetensorsEntry, type SafetensorsHeader, type SafetensorsType,
} from './safetensors.ts';
export { parseTable, type Table, type TableOptions } from './csv.ts';
export { datasetOfArrays, type DataArrays, type DataArraysOptions } from './data-arrays.ts';
export { encodeNpy, parseNpy, parseNpyHeader, type NpyArray, type NpyHeader, type NpyOptions } from './npy.ts';
export { encodeNpz, parseNpz, type NpzOptions } from './npz.ts';
export {
  NEWEST_OPSET, OLDEST_OPSET, operatorNames,
  type BatchNormalisation, type DeclaredDimension, type DeclaredValue, type FrozenArray, type ImportedParameter, type NotDifferentiable, type OnnxType, type ReadExternal,
} from '../onnx/import/index.ts';
export { importLoss, type ImportedLoss, type OnnxLossOptions } from './onnx-loss.ts';
export { type LossCutOptions } from './onnx-loss-cut.ts';
export { importOnnx, type ImportedLayer, type ImportedModel, type OnnxImportOptions } from './onnx-model.ts';
export { exportOnnx, type ExportedValue, type OnnxExport, type OnnxExportOptions } from './onnx-export.ts';
export type { ExampleType, ModelPoint } from './model-graph.ts';
export { pointFromTorch, torchNames, torchStateDict, type TorchName } from './torch-names.ts';
export { encodeSafetensors, type NamedArrays } from './safetensors-write.ts';
export { tensorboardHeader, tensorboardRestart, tensorboardScalars, type ScalarEvent } from './tensorboard.ts';
