/** What an entry of the atlas claims, as data: measured values, the relation they must satisfy, and controls that must not satisfy it. @module */
import { ArgumentError } from '../util/errors.ts';

/** What the error of a measured value is. */
export type QuantityErrorKind =
  /** |value - truth| is at most the error. */
  | 'bound'
  /** Of a mean over seeds or samples. */
  | 'standard error'
  /** Standard deviation over seeds, of a value that is their smallest or largest. */
  | 'deviation over runs'
  /** One deterministic computation: floating-point rounding alone; says nothing of other seeds. */
  | 'rounding'
  /** A count or an order: there is none. */
  | 'exact';

/** A measured value with its error. An error of NaN says that one run cannot tell it. */
export interface Quantity {
  readonly value: number;
  readonly error: number;
  readonly kind: QuantityErrorKind;
  /** Runs or samples behind it. */
  readonly samples?: number;
}

/** How a measured value relates to the threshold; `within` has both ends inside. */
export type Relation = '<' | '<=' | '>' | '>=' | 'within';

/** One comparison. */
export interface Check {
  /** What was measured, as a noun phrase: `largest barrier between A and B over seeds, nats`. */
  readonly what: string;
  readonly measured: Quantity;
  readonly relation: Relation;
  /** Two numbers for `within`. */
  readonly threshold: number | readonly [number, number];
}

/** A claim of the paper as an entry tests it. */
export interface ClaimDefinition<Result> {
  /** Unique within the entry: `width-adds-bulk-only`. */
  readonly id: string;
  /** The statement, a sentence. Formulas between dollar signs. */
  readonly text: string;
  /** Where the paper makes it. */
  readonly source?: string;
  /** Tested with this preset only; with both when absent. */
  readonly only?: 'quick' | 'full';
  /** All must hold. At least one. */
  checks(result: Result): readonly Check[];
  /** What the same comparison gives where the claim's cause is missing: none may hold. At least one, from runs that were made. */
  controls(result: Result): readonly Check[];
  /** What differs from the paper's own statement, where the claim holds only so: the verdict is then `holds with deviation`. */
  readonly deviation?: string;
  /** Why the paper's statement is not found here, for a claim that is known to fail: it stays, with its reason. */
  readonly failure?: string;
}

/** `holds`: every check does and no control; `holds with deviation`: the same, of a statement that differs from the paper's. */
export type Verdict = 'holds' | 'holds with deviation' | 'fails';

/** A check with its outcome. */
export interface JudgedCheck extends Check {
  readonly holds: boolean;
  /** Distance from the nearest threshold in errors, positive on the side that holds; undefined where the error is zero or unknown. */
  readonly margin?: number;
}

/** A claim with its outcome; plain data. */
export interface JudgedClaim {
  readonly id: string;
  readonly text: string;
  readonly source?: string;
  readonly verdict: Verdict;
  /** Why the verdict is not simply `holds`. */
  readonly reason?: string;
  /** The entry says that this claim fails, and why. */
  readonly documented?: boolean;
  readonly checks: readonly JudgedCheck[];
  readonly controls: readonly JudgedCheck[];
}

/** A count, an order, a yes (1) or no (0). */
export const exact = (value: number): Quantity => ({ value, error: 0, kind: 'exact' });

/** One deterministic computation in float64 unless a larger relative rounding is named. */
export const computed = (value: number, relative = 1e-12): Quantity => ({ value, error: Math.abs(value) * relative, kind: 'rounding' });

/** The mean over runs with its standard error; of one run the error is NaN. @throws ArgumentError when there are none. */
export function meanOver(values: ArrayLike<number>): Quantity {
  const all = some('meanOver', values);
  const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
  return { value: mean, error: deviation(all) / Math.sqrt(all.length), kind: 'standard error', samples: all.length };
}

/** The smallest or largest over runs, which a claim about every run compares; its error is their standard deviation. @throws ArgumentError when there are none. */
export function extremeOver(which: 'smallest' | 'largest', values: ArrayLike<number>): Quantity {
  const all = some('extremeOver', values);
  const value = all.some(Number.isNaN) ? NaN : all.reduce((a, b) => (which === 'smallest' ? Math.min(a, b) : Math.max(a, b)));
  return { value, error: deviation(all), kind: 'deviation over runs', samples: all.length };
}

function some(operation: string, values: ArrayLike<number>): number[] {
  if (values.length === 0) throw new ArgumentError({ operation, required: 'values must have at least one element', received: 'none' });
  return Array.from(values);
}

/** Standard deviation with n - 1 in the denominator; NaN of one value. */
function deviation(values: readonly number[]): number {
  if (values.length < 2) return NaN;
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1));
}

/** Compares a measured value; NaN satisfies nothing. @throws ArgumentError when `within` has no two ends, or another relation has. */
export function judgeCheck(check: Check): JudgedCheck {
  const { what, measured: { value, error }, relation, threshold } = check;
  const pair = Array.isArray(threshold);
  if (pair !== (relation === 'within')) {
    throw new ArgumentError({ operation: 'claim', required: `the threshold of '${what}' must be ${relation === 'within' ? 'two numbers' : 'one number'} for the relation ${relation}`, received: JSON.stringify(threshold) });
  }
  const [low, high] = pair ? threshold as readonly [number, number] : relation.startsWith('<') ? [-Infinity, threshold as number] : [threshold as number, Infinity];
  const isStrict = relation === '<' || relation === '>';
  const holds = isStrict ? value > low && value < high : value >= low && value <= high;
  const distance = Math.min(value - low, high - value);
  return { ...check, holds, ...(error > 0 && Number.isFinite(distance / error) && { margin: distance / error }) };
}

/** Runs a claim's comparisons. @throws ArgumentError when it has no check or no control. */
export function judge<Result>(claim: ClaimDefinition<Result>, result: Result): JudgedClaim {
  const [checks, controls] = [claim.checks(result), claim.controls(result)].map((all) => all.map(judgeCheck));
  for (const [name, all] of [['check', checks], ['control', controls]] as const) {
    if (all.length === 0) throw new ArgumentError({ operation: `claim ${claim.id}`, required: `it must have a ${name} that can fail`, received: 'none', remedy: name === 'control' ? 'run the case where the cause is missing, and compare it the same way.' : 'measure what the text says.' });
  }
  const broken = checks.filter(({ holds }) => !holds);
  const passing = controls.filter(({ holds }) => holds);
  const reasons = [
    ...broken.map(({ what }) => `does not hold: ${what}`),
    ...passing.map(({ what }) => `holds for the control as well: ${what}`),
  ];
  const { id, text, source, failure } = claim;
  const holds = reasons.length === 0;
  return {
    id, text, ...(source !== undefined && { source }),
    verdict: !holds ? 'fails' : claim.deviation === undefined ? 'holds' : 'holds with deviation',
    ...(holds ? claim.deviation !== undefined && { reason: claim.deviation } : { reason: failure === undefined ? reasons.join('; ') : failure }),
    ...(failure !== undefined && { documented: true }),
    checks, controls,
  };
}
