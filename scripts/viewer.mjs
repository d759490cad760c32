/** Bundles the scripts of pages (src/charts/viewer for reports, src/atlas/gallery/client for the gallery) into modules that hold them as text. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { bundles, root, say } from './bootstrap.mjs';

/** Writes one bundle. */
async function bundle(/** @type {import('./bootstrap.mjs').ScriptBundle} */ { what, entry, output, name, banner }) {
  const result = await build({
    entryPoints: [path.join(root, entry)], bundle: true, minify: true, format: 'iife', target: 'es2022', write: false, legalComments: 'none', banner: { js: `/* ${banner} */` },
  });
  // "</script" would end the element that the text is put into.
  const text = result.outputFiles[0].text.replaceAll('</script', '<\\/script');
  const hash = createHash('sha256').update(text).digest('base64');
  writeFileSync(path.join(root, output), `export const ${name}Script = ${JSON.stringify(text)};\nexport const ${name}Hash = ${JSON.stringify(hash)};\n`);
  say(`thalweg: bundled ${what}, ${Math.round(text.length / 1000)} kB`);
}

const asked = process.argv.slice(2);
for (const one of bundles.filter(({ name }) => asked.length === 0 || asked.includes(name))) await bundle(one);
