/** What the pages show of an entry: its claims with the verdicts that count, its figure, its place. @module */
import type { ClaimDefinition, JudgedClaim, Verdict } from '../claim.ts';
import { entryPath, topics, type Entry, type PresetName } from '../entry.ts';
import type { LoadedEntry } from '../entries.node.ts';

/** A claim with its outcome at the larger size that it was tested at. */
export interface ClaimView {
  readonly definition: ClaimDefinition<unknown>;
  /** Undefined when no run has tested it. */
  readonly judged?: JudgedClaim;
  readonly preset?: PresetName;
}

/** Numbers of claims by outcome. */
export type Tally = Readonly<Record<Verdict | 'untested', number>>;

/** An entry as its page and its card show it. */
export interface EntryView {
  readonly loaded: LoadedEntry;
  readonly entry: Entry;
  /** `TOPIC/ID`. */
  readonly path: string;
  /** Address of its page from the folder of the site. */
  readonly page: string;
  /** The one of the full size where there is one. */
  readonly figure?: { readonly svg: string; readonly preset: PresetName };
  readonly claims: readonly ClaimView[];
  readonly tally: Tally;
}

/** The order in which outcomes are named. */
export const outcomes = ['holds', 'holds with deviation', 'fails', 'untested'] as const;
export type Outcome = typeof outcomes[number];

export const outcomeOf = ({ judged }: ClaimView): Outcome => judged?.verdict ?? 'untested';

export const tallyOf = (claims: readonly ClaimView[]): Tally =>
  Object.fromEntries(outcomes.map((outcome) => [outcome, claims.filter((claim) => outcomeOf(claim) === outcome).length])) as Tally;

/** Presets in the order in which their results count. */
const bySize = ['full', 'quick'] as const;

function viewOf(loaded: LoadedEntry): EntryView {
  const { entry, records, figures } = loaded;
  const claims = (entry.claims as readonly ClaimDefinition<unknown>[]).map((definition): ClaimView => {
    for (const preset of bySize) {
      const judged = records[preset]?.claims.find(({ id }) => id === definition.id);
      if (judged !== undefined) return { definition, judged, preset };
    }
    return { definition };
  });
  const preset = bySize.find((name) => figures[name] !== undefined);
  const path = entryPath(entry);
  return { loaded, entry, path, page: `${path}.html`, ...(preset !== undefined && { figure: { svg: figures[preset]!, preset } }), claims, tally: tallyOf(claims) };
}

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

/** The entries in the order of the site: by topic, then by title. */
export function entryViews(loaded: readonly LoadedEntry[]): EntryView[] {
  return loaded.map(viewOf).sort((a, b) => compare(topics.indexOf(a.entry.topic), topics.indexOf(b.entry.topic))
    || compare(a.entry.source.title.toLowerCase(), b.entry.source.title.toLowerCase()) || compare(a.path, b.path));
}
