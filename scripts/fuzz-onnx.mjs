/** `npm run fuzz:onnx [-- --cases 20000 --seed 1]`: damaged ONNX files through the importer, which must read or refuse them. */
import { ensureDependencies, ensureNode, runTypeScript } from './bootstrap.mjs';

ensureNode();
ensureDependencies();
process.exitCode = runTypeScript('scripts/fuzz-onnx.ts', process.argv.slice(2));
