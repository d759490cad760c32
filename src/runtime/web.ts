/** The backend for the browser: ONNX Runtime's WebAssembly build (SIMD, threads where the page allows them), or WebGPU. @module */
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
  if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = wasmPaths;
  return createOrtBackend(ort as unknown as Ort, `onnxruntime-web (${provider})`, { providers: [provider], ...options, threads });
}
