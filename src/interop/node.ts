/** Weights, data and losses on disk. Node only. @module */
export { dataFileOptions, isDataFile, loadDataFile } from './data-file.node.ts';
export { isLossModule, loadLossModule, type LossModuleFunction } from './loss-module.node.ts';
export { loadOnnx, loadOnnxLoss } from './onnx-file.node.ts';
export { openSafetensors, writeSafetensors, type SafetensorsFile } from './safetensors.node.ts';
