/** ONNX Runtime's WebAssembly build as a backend: on the processor, or on the GPU by WebGPU. @module */
import type { ModelRuntime } from '../core/backend.ts';
import { createOrtBackend, type Ort, type OrtOptions } from './ort.ts';
import { requireThreadCount } from './threads.ts';

export interface WebRuntimeOptions extends Partial<OrtOptions> {
  /** Threads of one operation. Default: the machine's, where the page is cross-origin isolated; otherwise always one. */
  readonly threads?: number;
  /** `wasm` runs on the CPU; `webgpu` on the GPU where it has the operation, in float32. Default `wasm`. */
  readonly provider?: 'wasm' | 'webgpu';
  /** Folder (with a trailing slash) or addresses of the `.wasm` and `.mjs` files of `onnxruntime-web`. Default: beside the script. */
  readonly wasmPaths?: string | { readonly wasm?: string; readonly mjs?: string };
}

/** WebAssembly threads need shared memory, which browsers grant only to cross-origin isolated pages. */
const sharesMemory = (): boolean => globalThis.crossOriginIsolated === true;

/**
 * A backend for browsers; in Node, where tests use it, it runs on one thread. The thread count and the paths belong to the page:
 * those of the first session hold for all.
 *
 * @throws ArgumentError when `threads` is not a positive integer.
 */
export async function webRuntime({ provider = 'wasm', wasmPaths, ...options }: WebRuntimeOptions = {}): Promise<ModelRuntime> {
  const asked = requireThreadCount('webRuntime', options.threads ?? globalThis.navigator?.hardwareConcurrency ?? 1);
  const threads = sharesMemory() ? asked : 1;
  const ort = provider === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
  ort.env.wasm.numThreads = threads;
  const paths = wasmPaths ?? (threads > 1 ? scriptFolder() : undefined);
  if (paths !== undefined) ort.env.wasm.wasmPaths = paths;
  return createOrtBackend(ort as unknown as Ort, `onnxruntime-web (${provider})`, { providers: [provider], ...options, threads });
}

/**
 * Where this script came from. Left to itself, ONNX Runtime starts its threads from the script that it is bundled into, which
 * would run the page's own code once more in each of them; a folder makes it use its separate `.mjs` file.
 */
function scriptFolder(): string | undefined {
  const script = (import.meta.url as string | undefined) ?? globalThis.location?.href; // A classic script has no import.meta.
  return script?.slice(0, script.lastIndexOf('/') + 1);
}
