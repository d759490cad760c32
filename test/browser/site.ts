/** A page that holds a bundled script and the files of ONNX Runtime, served on this machine only. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { build } from 'esbuild';
import { sourceCondition } from '../../scripts/bootstrap.mjs';
import { root } from '../tree-files.ts';

const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
/** What makes a page cross-origin isolated, hence lets it share memory between threads. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export interface Bundle {
  readonly script: string;
  /** Modules of this package in the bundle, as paths from the root. */
  readonly sources: readonly string[];
  /** What the bundle imports from outside itself. */
  readonly external: readonly string[];
}

/** Bundles a script for browsers as a user would; `thalweg/...` is the sources. */
export async function bundle(entry: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry], absWorkingDir: root, bundle: true, format: 'esm', platform: 'browser', target: 'es2022', conditions: [sourceCondition],
    write: false, metafile: true, logLevel: 'silent',
  });
  const imports = [...Object.values(metafile.inputs), ...Object.values(metafile.outputs)].flatMap((file) => file.imports);
  return {
    script: outputFiles[0].text,
    sources: Object.keys(metafile.inputs).filter((file) => file.startsWith('src/')),
    // `<runtime>` is what esbuild itself adds.
    external: imports.filter(({ external, path: name }) => external === true && name !== '<runtime>').map((entry) => entry.path),
  };
}

export interface Site {
  readonly address: string;
  /** Paths that were asked for. */
  readonly requested: readonly string[];
  close(): Promise<void>;
}

/** Serves the script on a blank page until closed, with the files of ONNX Runtime beside it and in `ort/`. */
export async function serve(script: string, { isolated }: { readonly isolated: boolean }): Promise<Site> {
  const runtimeFiles = path.join(root, 'node_modules', 'onnxruntime-web', 'dist');
  const requested: string[] = [];
  const contentOf = (name: string): string | Buffer | undefined => {
    if (name === '/index.html') return '<!doctype html><title>Thalweg</title><link rel="icon" href="data:,"><script type="module" src="page.js"></script>';
    if (name === '/page.js') return script;
    const file = /^\/(?:ort\/)?(ort-[\w.-]+)$/.exec(name)?.[1];
    return file === undefined ? undefined : readFileSync(path.join(runtimeFiles, file));
  };
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://localhost').pathname;
    requested.push(name);
    const content = contentOf(name);
    response.writeHead(content === undefined ? 404 : 200, { 'Content-Type': types[path.extname(name)] ?? 'text/plain', ...(isolated ? isolation : {}) });
    response.end(content);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/index.html`,
    requested,
    close: () => new Promise((resolve, reject) => {
      server.close((error) => { if (error === undefined) resolve(); else reject(error); });
      server.closeAllConnections();
    }),
  };
}
