/** `npm run conformance [-- --folder FOLDER] [--only TEXT]`: the ONNX project's node tests through the importer; rewrites docs/onnx-operators.md. */
import { ensureDependencies, ensureNode, runTypeScript } from './bootstrap.mjs';

ensureNode();
ensureDependencies();
process.exitCode = runTypeScript('scripts/conformance.ts', process.argv.slice(2));
