/** Bundles the script of report pages (src/charts/viewer) into a module that holds it as text. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { root, say } from './bootstrap.mjs';

const folder = path.join(root, 'src', 'charts', 'viewer');
const output = path.join(root, 'src', 'charts', 'viewer-bundle.js');
/** Writes the bundle. */
async function bundleViewer() {
  const result = await build({
    entryPoints: [path.join(folder, 'main.ts')], bundle: true, minify: true, format: 'iife', target: 'es2022', write: false, legalComments: 'none',
    banner: { js: '/* Contains three.js, (c) 2010-2026 three.js authors, MIT licence. */' },
  });
  // "</script" would end the element that the text is put into.
  const text = result.outputFiles[0].text.replaceAll('</script', '<\\/script');
  const hash = createHash('sha256').update(text).digest('base64');
  writeFileSync(output, `export const viewerScript = ${JSON.stringify(text)};\nexport const viewerHash = ${JSON.stringify(hash)};\n`);
  say(`thalweg: bundled the viewer of reports, ${Math.round(text.length / 1000)} kB`);
}

await bundleViewer();
