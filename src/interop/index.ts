/** Weights from and for other systems: the safetensors format. `interop/node.ts` adds files on disk. @module */
export {
  decodeTensor, MAXIMUM_HEADER_BYTES, parseSafetensors, parseSafetensorsHeader, safetensorsHeaderLength,
  type SafetensorsEntry, type SafetensorsHeader, type SafetensorsType,
} from './safetensors.ts';
export { encodeSafetensors, type NamedArrays } from './safetensors-write.ts';
