/** The page docs/optimizers.md: its text from the registries. */
import { lists, type Listed } from '../src/cli/lists.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** Options a line each: name, default, meaning. */
const options = ({ options: all }: Listed): string =>
  all.map(({ name, about = '', expects, default: standard }) => `\`${name}\`${standard === undefined ? '' : ` = ${standard}`}: ${cell(about)} (${cell(expects)})`).join('<br>');

/** The text of docs/optimizers.md. */
export function optimizersPage(): string {
  const [optimizers, schedules] = [lists.optimizers(), lists.schedules()];
  const [wrappers, methods] = [optimizers.filter(({ wraps }) => wraps !== undefined), optimizers.filter(({ wraps }) => wraps === undefined)];
  return `${[
    '# Optimizers and schedules', '',
    'What there is, from the registries (`npm run lists` writes this page). An optimizer is named on the command line, or by `optimizerNamed`, with options',
    'after a colon: `adam:beta1=0.95,epsilon=1e-6`; a schedule by `scheduleNamed`. One that wraps another stands before it with a plus, the outermost first:',
    '`clip-by-global-norm:maximum=1+adamw:weightDecay=0.1`, `warmup:steps=100+inverse-square-root`. Without what it wraps it takes the one of its row.',
    'In code each is a function (`adamw({ weightDecay: 0.1 })`), and rules compose: `chain`, `masked`, `perGroup`, `optimizerGroups`, `withGradientRule`.', '',
    '```ts run',
    "import { adamw, clipByGlobalNorm, optimizerNamed, scheduleNamed, withGradientRule } from 'thalweg/optim';", '',
    "const optimizer = optimizerNamed('clip-by-global-norm:maximum=1+adamw:weightDecay=0.1');",
    'const same = withGradientRule(adamw({ weightDecay: 0.1 }), clipByGlobalNorm(1));',
    'if (optimizer.name !== same.name) throw new Error(optimizer.name);',
    "const schedule = scheduleNamed('warmup:steps=10+cosine', { rate: 0.1, steps: 100 });",
    'if (schedule(9) !== 0.1 || schedule(99) > 0.001) throw new Error(String(schedule(99)));',
    '```', '',
    'Options are numbers here; in code those that are real numbers may be tensors too, which lets them differ between the replicas of an ensemble.', '',
    '## Optimizers', '', '| name | what it is | usual rate | options |', '|---|---|---|---|',
    ...methods.map((entry) => `| \`${entry.name}\` | ${cell(entry.description)} | ${entry.rate} | ${options(entry)} |`), '',
    '## Around another optimizer', '', '| name | what it is | else around | options |', '|---|---|---|---|',
    ...wrappers.map((entry) => `| \`${entry.name}\` | ${cell(entry.description)} | \`${entry.wraps}\` | ${options(entry)} |`), '',
    '## Schedules', '', 'The rate is the largest one, and the run has so many steps; a schedule is counted from step zero.', '',
    '| name | what it is | options |', '|---|---|---|',
    ...schedules.map((entry) => `| \`${entry.name}\` | ${cell(entry.description)} | ${options(entry)} |`),
  ].join('\n')}\n`;
}
