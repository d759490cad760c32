/** What changed between a stored run of an entry and a new one, in words. @module */
import type { JudgedCheck, JudgedClaim } from './claim.ts';
import type { EntryRecord } from './record.ts';

/** One difference. */
export interface RecordChange {
  /**
   * `verdict`: a claim's verdict is another, or the claim is gone: a failure. `claim`: a claim is new. `check`: what is compared, or with what, is
   * another. `value`: a measured value is another in three significant digits. `figure`: the drawing is another.
   */
  readonly kind: 'verdict' | 'claim' | 'check' | 'value' | 'figure';
  /** The claim, where it is one's. */
  readonly claim?: string;
  /** A sentence without its full stop. */
  readonly text: string;
}

/** Digits that have to agree: fewer than rounding on another machine disturbs, more than a change of substance needs. */
const DIGITS = 3;

const shown = (value: number): string => String(Number.isFinite(value) ? Number(value.toPrecision(DIGITS)) : value);

/**
 * The same number to three significant digits. A difference that the stated rounding or bound of either explains is none, and neither is one below half a
 * unit of the third digit: it may tip the rounding.
 */
function isSameValue({ measured: a }: JudgedCheck, { measured: b }: JudgedCheck): boolean {
  if (!Number.isFinite(a.value) || !Number.isFinite(b.value)) return Object.is(a.value, b.value);
  const difference = Math.abs(a.value - b.value);
  const explained = [a, b].reduce((sum, { error, kind }) => sum + (kind === 'rounding' || kind === 'bound' ? error : 0), 0);
  return shown(a.value) === shown(b.value) || difference <= explained || difference <= 0.5 * 10 ** (Math.floor(Math.log10(Math.min(Math.abs(a.value), Math.abs(b.value)))) + 1 - DIGITS);
}

const conditionOf = ({ relation, threshold }: JudgedCheck): string => `${relation} ${typeof threshold === 'number' ? threshold : threshold.join(' to ')}`;

/** Changes of a claim's checks, or of its controls. */
function checkChanges(claim: string, what: 'check' | 'control', before: readonly JudgedCheck[], now: readonly JudgedCheck[]): RecordChange[] {
  const change = (kind: RecordChange['kind'], text: string): RecordChange => ({ kind, claim, text: `${claim}: ${text}` });
  const unmatched = [...now];
  const pairs = before.map((old): readonly [JudgedCheck, JudgedCheck | undefined] => {
    const at = unmatched.findIndex((check) => check.what === old.what);
    return [old, at < 0 ? undefined : unmatched.splice(at, 1)[0]];
  });
  return [
    ...pairs.flatMap(([old, check]) => {
      if (check === undefined) return [change('check', `the ${what} '${old.what}' is gone`)];
      return [
        ...(conditionOf(old) === conditionOf(check) ? [] : [change('check', `the ${what} '${old.what}' compares ${conditionOf(check)}, it was ${conditionOf(old)}`)]),
        ...(isSameValue(old, check) ? [] : [change('value', `${what === 'control' ? 'control: ' : ''}${old.what} is ${shown(check.measured.value)}, it was ${shown(old.measured.value)}`)]),
      ];
    }),
    ...unmatched.map((check) => change('check', `the ${what} '${check.what}' is new`)),
  ];
}

function claimChanges(old: JudgedClaim, claim: JudgedClaim | undefined): RecordChange[] {
  if (claim === undefined) return [{ kind: 'verdict', claim: old.id, text: `the claim ${old.id} is gone: it was stored with the verdict '${old.verdict}'` }];
  return [
    ...(old.verdict === claim.verdict ? [] : [{ kind: 'verdict', claim: claim.id, text: `the verdict of ${claim.id} is '${claim.verdict}', it was '${old.verdict}'${claim.reason === undefined ? '' : ` (${claim.reason})`}` } as const]),
    ...checkChanges(claim.id, 'check', old.checks, claim.checks),
    ...checkChanges(claim.id, 'control', old.controls, claim.controls),
  ];
}

/**
 * What changed from a stored run to a new one of the same entry, preset and seed; empty when they agree. Errors, times and provenance are not compared,
 * nor are digests: another machine rounds differently.
 */
export function compareRecords(before: EntryRecord, now: EntryRecord, figures?: { readonly before: string; readonly now: string }): RecordChange[] {
  return [
    ...before.claims.flatMap((old) => claimChanges(old, now.claims.find(({ id }) => id === old.id))),
    ...now.claims.filter(({ id }) => !before.claims.some((old) => old.id === id)).map(({ id, verdict }): RecordChange => ({ kind: 'claim', claim: id, text: `the claim ${id} is new: its verdict is '${verdict}'` })),
    ...(figures !== undefined && figures.before !== figures.now ? [{ kind: 'figure', text: 'the figure is drawn differently' } as const] : []),
  ];
}
