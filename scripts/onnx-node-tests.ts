/** The ONNX project's own node tests, as data: taken once from the project's Python wheel into a git-ignored folder. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { root } from './bootstrap.mjs';

/** The last wheel series that carries the tests; newer ones generate them. Pinned by its hash. */
const WHEEL = 'onnx-1.16.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl';
const SHA256 = '7b98aa9733bd4b781eb931d33b4078ff2837e7d68062460726d6dd011f332bd4';
/** A package index in the form of PyPI; the environment may name another. */
const index = (process.env.ONNX_INDEX_URL ?? process.env.PIP_INDEX_URL ?? 'https://pypi.org/simple/').replace(/\/?$/, '/');
const INSIDE = 'onnx/backend/test/data/node/';

/** Where the tests lie once they are fetched. */
export const nodeTestFolder = path.join(root, '.cache', 'onnx-node-tests');

async function fetched(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(300_000) });
  } catch (error) {
    throw new Error(`${url} cannot be reached (${((error as Error).cause as Error | undefined)?.message ?? (error as Error).message}). Offline, unpack ${INSIDE} of ${WHEEL} somewhere and name the folder: npm run conformance -- --folder FOLDER`, { cause: error });
  }
  if (!response.ok) throw new Error(`${url} answers ${response.status}; another package index can be named by ONNX_INDEX_URL`);
  return response;
}

/** The folder of node tests, fetched first where it is missing. @throws Error when the index cannot be reached or the wheel is another one. */
export async function nodeTests(say: (line: string) => void): Promise<string> {
  if (existsSync(nodeTestFolder)) return nodeTestFolder;
  say(`fetching the ONNX node tests (16 MB, once) from ${index}onnx/`);
  const page = await (await fetched(`${index}onnx/`)).text();
  const link = [...page.matchAll(/href="([^"]+)"/g)].map(([, href]) => href.replaceAll('&amp;', '&')).find((href) => href.split('#')[0].endsWith(`/${WHEEL}`));
  if (link === undefined) throw new Error(`${index}onnx/ must list ${WHEEL}; another package index can be named by ONNX_INDEX_URL`);
  const bytes = new Uint8Array(await (await fetched(new URL(link.split('#')[0], `${index}onnx/`).href)).arrayBuffer());
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (hash !== SHA256) throw new Error(`${WHEEL} must have SHA-256 ${SHA256}, got ${hash}`);
  // Written under another name first: a folder that was interrupted half-way must not look complete.
  const unfinished = `${nodeTestFolder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  for (const [name, data] of Object.entries(unzipSync(bytes, { filter: (file) => file.name.startsWith(INSIDE) && !file.name.endsWith('/') }))) {
    const target = path.join(unfinished, name.slice(INSIDE.length));
    if (!target.startsWith(unfinished + path.sep)) throw new Error(`${WHEEL} names a file outside of its folder: ${name}`);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, data);
  }
  renameSync(unfinished, nodeTestFolder);
  return nodeTestFolder;
}

/** A test: a model, and its inputs and outputs as serialised tensors. */
export interface NodeTest {
  readonly name: string;
  readonly model: Uint8Array;
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

const bytesOf = (file: string): Uint8Array => new Uint8Array(readFileSync(file));

/** Names of the tests of a folder, sorted. */
export const namesOf = (folder: string): string[] => readdirSync(folder).filter((name) => existsSync(path.join(folder, name, 'model.onnx'))).sort();

/** One test of a folder; of several sets of data the first. */
export function readTest(folder: string, name: string): NodeTest {
  const data = path.join(folder, name, 'test_data_set_0');
  const all = (kind: string): Uint8Array[] => {
    const found: Uint8Array[] = [];
    for (let i = 0; existsSync(path.join(data, `${kind}_${i}.pb`)); i++) found.push(bytesOf(path.join(data, `${kind}_${i}.pb`)));
    return found;
  };
  return { name, model: bytesOf(path.join(folder, name, 'model.onnx')), inputs: all('input'), outputs: all('output') };
}
