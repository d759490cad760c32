/**
 * The backend for the browser: ONNX Runtime's WebAssembly build (SIMD, threads where the page allows them), or WebGPU. Importing
 * this makes it the default.
 *
 * The page must be able to fetch two files of `onnxruntime-web`, by default from the folder of its own script. With any bundler,
 *
 *     cp node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.{mjs,wasm} public/ort/
 *     npx esbuild page.ts --bundle --format=esm --outfile=public/page.js
 *
 * and, in `page.ts`, `setDefaultExecutor(webExecutor({ wasmPaths: new URL('ort/', document.baseURI).href }))`. WebGPU takes the
 * files `ort-wasm-simd-threaded.asyncify.{mjs,wasm}` instead. Threads need a cross-origin isolated page: served with the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`.
 * @module
 */
import { setDefaultExecutor, type Executor } from '../core/backend.ts';
import { lazyExecutor } from './executor.ts';
import { webRuntime, type WebRuntimeOptions } from './ort-web.ts';

export { webRuntime, type WebRuntimeOptions } from './ort-web.ts';

/** Runs compiled functions on ONNX Runtime's WebAssembly build, which is loaded at the first use. */
export function webExecutor(options: WebRuntimeOptions = {}): Executor {
  return lazyExecutor(`onnxruntime-web (${options.provider ?? 'wasm'})`, () => webRuntime(options));
}

setDefaultExecutor(webExecutor());
