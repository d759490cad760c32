/** Files of other systems: weights as safetensors, curves for TensorBoard. `interop/node.ts` adds files on disk. @module */
export {
  decodeTensor, MAXIMUM_HEADER_BYTES, parseSafetensors, parseSafetensorsHeader, safetensorsHeaderLength,
  type SafetensorsEntry, type SafetensorsHeader, type SafetensorsType,
} from './safetensors.ts';
export { encodeNpy, parseNpy, parseNpyHeader, type NpyArray, type NpyHeader, type NpyOptions } from './npy.ts';
export { encodeNpz, parseNpz, type NpzOptions } from './npz.ts';
export { encodeSafetensors, type NamedArrays } from './safetensors-write.ts';
export { tensorboardHeader, tensorboardRestart, tensorboardScalars, type ScalarEvent } from './tensorboard.ts';
