/** Numbers, columns and verdicts as text. @module */
import type { Spread } from './statistics.ts';

export const digits = (value: number, count: number): string => (Number.isFinite(value) ? value.toFixed(count) : '-');
export const ratio = ({ median, lower, upper }: Spread): string => `${digits(median, 2)} [${digits(lower, 2)}, ${digits(upper, 2)}]`;

/** Columns padded to their widest cell: the first to the left, others to the right. */
export function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  return rows.map((cells) => cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd());
}

/** What was aimed at, and what came. */
export interface Judged {
  readonly atLeast: number;
  /** Null when a side is missing. */
  readonly measured: Spread | null;
  readonly isMet: boolean | null;
}

function outcome({ measured, isMet, atLeast }: Judged): string {
  if (measured === null) return 'not measured';
  if (isMet === true) return measured.lower < atLeast ? 'met, within the spread' : 'met';
  return `missed by ${digits(100 * (1 - measured.median / atLeast), 0)} %${measured.upper >= atLeast ? ', within the spread' : ''}`;
}

/** Each aim, what was measured and whether it was met. */
export function formatJudged<Verdict extends Judged>(verdicts: readonly Verdict[], describe: (verdict: Verdict) => string): string {
  const rows = verdicts.map((verdict) => [describe(verdict), `at least ${digits(verdict.atLeast, 2)}`, verdict.measured === null ? '-' : ratio(verdict.measured), outcome(verdict)]);
  return align([['aim', 'wanted', 'measured', ''], ...rows]).join('\n');
}
