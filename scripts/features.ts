/** Writes docs/features.md; refuses when a row's evidence is not there. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './bootstrap.mjs';
import { evidenceProblems, featuresPage } from './features-page.ts';

const problems = evidenceProblems();
process.stderr.write(problems.map((problem) => `${problem}\n`).join(''));
writeFileSync(path.join(root, 'docs', 'features.md'), featuresPage());
process.exitCode = problems.length > 0 ? 1 : 0;
