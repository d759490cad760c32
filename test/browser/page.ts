/** The script of the test page: the library as a user's page would load it. */
import { defaultExecutor, setDefaultExecutor } from 'thalweg';
import { webExecutor, webRuntime } from 'thalweg/web';
import { runPrograms, type Results } from './programs.ts';

/** What the page computed, and how. */
export interface PageReport {
  readonly executor: string;
  readonly isolated: boolean;
  readonly threads: number;
  readonly results: Results;
}

/** `folder` is where the files of ONNX Runtime are, seen from the page; without it they are looked for beside the script. */
async function report(folder?: string): Promise<PageReport> {
  // Two on any machine, so that there are threads wherever the page may have them.
  const options = { wasmPaths: folder === undefined ? undefined : new URL(folder, document.baseURI).href, threads: 2 };
  setDefaultExecutor(webExecutor(options));
  const results = await runPrograms(defaultExecutor());
  return { executor: defaultExecutor().name, isolated: crossOriginIsolated, threads: (await webRuntime(options)).threads, results };
}

Object.assign(globalThis, { report });
