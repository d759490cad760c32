/** The script of the test page: the library as a user's page would load it. */
import { defaultExecutor, setDefaultExecutor } from 'thalweg';
import { webExecutor, webRuntime, type WebRuntimeOptions } from 'thalweg/web';
import { runPrograms, type Results } from './programs.ts';

export interface PageOptions extends Pick<WebRuntimeOptions, 'provider'> {
  /** Where the files of ONNX Runtime are, seen from the page; without it they are looked for beside the script. */
  readonly folder?: string;
  /** Names of the programs to run; default all. */
  readonly only?: readonly string[];
}

/** What the page computed, and how. */
export interface PageReport {
  readonly executor: string;
  readonly isolated: boolean;
  readonly threads: number;
  readonly results: Results;
}

async function report({ folder, provider, only }: PageOptions): Promise<PageReport> {
  // Two on any machine, so that there are threads wherever the page may have them.
  const options = { wasmPaths: folder === undefined ? undefined : new URL(folder, document.baseURI).href, provider, threads: 2 };
  setDefaultExecutor(webExecutor(options));
  const results = await runPrograms(defaultExecutor(), only);
  return { executor: defaultExecutor().name, isolated: crossOriginIsolated, threads: (await webRuntime(options)).threads, results };
}

/** Whether the browser offers a GPU, or a program that stands in for one. */
async function hasGpu(): Promise<boolean> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<object | null> } };
  return gpu !== undefined && await gpu.requestAdapter() !== null;
}

const page = { report, hasGpu };
/** What a test may call inside the page. */
export type Page = typeof page;
Object.assign(globalThis, { page });
