/** `npm run conformance [-- --folder FOLDER] [--only TEXT] [--fixture]`: the ONNX project's node tests through the importer; rewrites docs/onnx-operators.md, with --fixture also test/golden/onnx/conformance.zip. */
import { ensureDependencies, ensureNode, runTypeScript } from './bootstrap.mjs';

ensureNode();
ensureDependencies();
process.exitCode = runTypeScript('scripts/conformance.ts', process.argv.slice(2));
