/** Results of the ONNX node tests as tables: on the terminal, and as docs/onnx-operators.md. */
import { operatorNames, operatorOf } from '../src/onnx/import/operators/registry.ts';
import { NEWEST_OPSET, OLDEST_OPSET } from '../src/onnx/import/parse.ts';
import { ways, type Way } from '../src/onnx/import/node-test.test-helper.ts';
import type { CaseResult, GradientOutcome, Outcome } from './conformance-case.ts';

/** Numbers of one operator, or of all. */
export interface Tally {
  readonly operator: string;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly gradients: Readonly<Record<GradientOutcome, number>>;
  /** Passed tests by the first way that passes: every input computed; all but settings; none. */
  readonly ways: Readonly<Record<Way, number>>;
  /** Of what did not pass, each once with its number. */
  readonly reasons: readonly string[];
}

const countOf = <Key extends string>(keys: readonly Key[], values: readonly Key[]): Record<Key, number> => Object.fromEntries(keys.map((key) => [key, values.filter((value) => value === key).length])) as Record<Key, number>;

/** Counts of some results. */
export function tallyOf(operator: string, results: readonly CaseResult[]): Tally {
  const reasons = results.filter(({ outcome }) => outcome !== 'passed').map(({ reason }) => reason ?? '');
  const wrong = results.filter(({ gradient }) => gradient === 'failed').map(({ gradientReason }) => `derivative ${gradientReason}`);
  const all = [...reasons, ...wrong];
  return {
    operator,
    outcomes: countOf(['passed', 'disputed', 'failed', 'unsupported', 'inapplicable'], results.map(({ outcome }) => outcome)),
    gradients: countOf(['passed', 'failed', 'kink', 'none'], results.map(({ gradient }) => gradient)),
    ways: countOf(ways, results.filter(({ outcome }) => outcome === 'passed').map(({ reason = 'computed' }) => reason as Way)),
    reasons: [...new Set(all)].map((reason) => `${all.filter((other) => other === reason).length} x ${reason}`),
  };
}

/** Counts by operator, sorted by name. */
export const talliesOf = (results: readonly CaseResult[]): Tally[] =>
  [...new Set(results.map(({ operator }) => operator))].sort().map((operator) => tallyOf(operator, results.filter((result) => result.operator === operator)));

/** Tests that say something about the importer. */
export const applicableOf = ({ outcomes }: Tally): number => outcomes.passed + outcomes.disputed + outcomes.failed + outcomes.unsupported;

/** The share of applicable tests that pass. */
export const shareOf = (tally: Tally): number => tally.outcomes.passed / Math.max(1, applicableOf(tally));

/** The totals in words. */
export const totalsText = (total: Tally): string => {
  const { outcomes, gradients, ways: by } = total;
  return `${outcomes.passed} of ${applicableOf(total)} applicable tests pass (${(100 * shareOf(total)).toFixed(1)} %: ${by.computed} with every input computed by ONNX Runtime, ${by['settings known']} with what is no floating-point data known beforehand, ${by.known} with all of it known), ${outcomes.disputed} are disputed, ${outcomes.failed} fail, ${outcomes.unsupported} are refused; ${outcomes.inapplicable} do not apply. `
    + `Derivatives: ${gradients.passed} agree with finite differences, ${gradients.failed} do not, ${gradients.kink} are at kinks or infinite.`;
};

const headings = ['operator', 'passed', 'disputed', 'failed', 'refused', 'not applicable', 'gradients', 'wrong', 'kinks'];
const cellsOf = ({ operator, outcomes, gradients }: Tally): string[] =>
  [operator, ...[outcomes.passed, outcomes.disputed, outcomes.failed, outcomes.unsupported, outcomes.inapplicable, gradients.passed, gradients.failed, gradients.kink].map((n) => (n === 0 ? '' : String(n)))];

/** The table for a terminal. */
export function tableText(tallies: readonly Tally[]): string {
  const rows = [headings, ...tallies.map(cellsOf)];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ').trimEnd()).join('\n');
}

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** docs/onnx-operators.md. */
export function operatorsPage(results: readonly CaseResult[]): string {
  const tallies = new Map(talliesOf(results).map((tally) => [tally.operator, tally]));
  const row = (name: string): string => {
    const [operator, domain = ''] = name.split(':').reverse();
    const definition = operatorOf(domain, operator);
    const { outcomes, gradients, reasons } = domain === '' ? tallies.get(operator) ?? tallyOf(operator, []) : tallyOf(operator, []);
    const read = definition === undefined ? ['', 'not read'] : [domain === '' ? String(definition.since ?? OLDEST_OPSET) : '', definition.gradient ?? 'exact'];
    return `| ${[name, ...read, outcomes.passed, outcomes.disputed, outcomes.failed, outcomes.unsupported, outcomes.inapplicable, gradients.passed, gradients.kink, escaped(reasons.join('; '))].map((cell) => (cell === 0 ? '' : cell)).join(' | ')} |`;
  };
  const names = operatorNames();
  const others = [...tallies.keys()].filter((name) => !names.includes(name)).sort();
  return `# ONNX operators

Written by \`npm run conformance\`; do not edit.

${names.length} operators are read, of operator sets ${OLDEST_OPSET} to ${NEWEST_OPSET}. The numbers are those of the ONNX project's own node tests (onnx 1.16.2), each run
through the importer on ONNX Runtime with its inputs computed and with them known beforehand. Numbers must agree to 1e-4 of their size plus
1e-5 in float32, 1e-6 plus 1e-7 in float64, the project's own 1e-3 where the stored ones were rounded to half precision, and nowhere less than the
project asks for; a test that hangs has failed. A test is disputed where its stored numbers are wrong for the reason given, and ONNX Runtime,
given the file itself, has ours. It does not apply where its types are none that a program here has (texts, sequences, optional values,
8-bit floating point), or where it draws random numbers. Derivatives are compared in float64 along random directions with central
differences; kinks are points where the function is not smooth or not finite.

${totalsText(tallyOf('', results))}

| operator | since operator set | gradient | passed | disputed | failed | refused | not applicable | derivatives checked | kinks | what does not pass |
|---|---|---|---|---|---|---|---|---|---|---|
${[...names, ...others].map(row).join('\n')}
`;
}
