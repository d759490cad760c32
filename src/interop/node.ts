/** Weights on disk. Node only. @module */
export { openSafetensors, writeSafetensors, type SafetensorsFile } from './safetensors.node.ts';
