/** The contract of the atlas: a paper as a program with claims that can fail. @module */
import type { Executor } from '../core/backend.ts';
import { ArgumentError } from '../util/errors.ts';
import type { ClaimDefinition } from './claim.ts';

/** The folders of the atlas. */
export const topics = [
  'architectures', 'curvature', 'dynamics', 'games', 'generative', 'kernels', 'landscape', 'losses', 'operators', 'optimizers', 'representation', 'topology',
] as const;
/** One of them. */
export type Topic = typeof topics[number];

/** What a run returns: numbers, texts, lists and records of them, and typed arrays of numbers; nothing with methods. */
export type PlainData = number | string | boolean | null | undefined | Float64Array | Float32Array | Int32Array | readonly PlainData[] | { readonly [name: string]: PlainData };

/** `quick`: at most ten seconds on two cores, what the tests run. `full`: the size that the verdicts of the gallery come from. */
export type PresetName = 'quick' | 'full';

/** The paper. */
export interface Source {
  readonly title: string;
  /** `Levent Sagun`, in the paper's order. */
  readonly authors: readonly string[];
  readonly year: number;
  /** `1706.04454`, where it is on arXiv. */
  readonly arxiv?: string;
}

/** A piece of the library that the entry demonstrates. */
export interface BuiltPiece {
  /** The exported name. */
  readonly name: string;
  /** The subpath that exports it: `thalweg/curvature`. */
  readonly from: string;
  /** What it is, in a few words. */
  readonly what: string;
}

/** What a run is given. */
export interface EntryContext<Settings> {
  readonly preset: PresetName;
  readonly settings: Settings;
  /** Every draw of the run depends on it. */
  readonly seed: number;
  /** One thread, so that results do not depend on the number of processors. */
  readonly executor: Executor;
  /** Aborted when the run is interrupted: for `train` and the estimators, which stop by it. */
  readonly signal: AbortSignal;
  /**
   * Says how far the run is, between 0 and 1, and what it is at. Call it at least every second or so: here an interrupted run ends.
   * @throws InterruptedError after an interruption.
   */
  progress(fraction: number, what: string): Promise<void>;
}

/** One entry of the atlas. */
export interface EntryDefinition<Settings = unknown, Result = unknown> {
  /** The file's name: `atlas/TOPIC/ID.ts`. */
  readonly id: string;
  readonly topic: Topic;
  readonly source: Source;
  /** What the paper asks, in a sentence that ends with a question mark. */
  readonly question: string;
  /** A paragraph: the system, the quantity, how it is measured. Formulas as TeX between dollar signs. */
  readonly method: string;
  /** What differs from the paper's own experiment (data, size, what was tried and not found): sentences for the page. */
  readonly deviations: readonly string[];
  readonly built: readonly BuiltPiece[];
  /** Identifiers of other entries that belong beside it, `TOPIC/ID`. */
  readonly related?: readonly string[];
  readonly presets: Readonly<Record<PresetName, Settings>>;
  /** Deterministic in the settings and the seed. Returns plain data. */
  run(context: EntryContext<Settings>): Promise<Result>;
  readonly claims: readonly ClaimDefinition<Result>[];
  /** Draws the result as SVG: the same result, the same text. */
  figure(result: Result): string;
}

/** An entry whose types of settings and results are known to itself alone. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the harness passes each entry's own settings and result back to it
export type Entry = EntryDefinition<any, any>;

/** A run that was asked to stop. */
export class InterruptedError extends Error {
  constructor() {
    super('interrupted');
    this.name = 'InterruptedError';
  }
}

const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/**
 * Checks an entry's description and returns it as it is. Its claims are checked where they are judged.
 * @throws ArgumentError naming the field that is missing or malformed.
 */
export function defineEntry<Settings, Result extends PlainData | object>(definition: EntryDefinition<Settings, Result>): EntryDefinition<Settings, Result> {
  const { id, topic, source, question, method, claims, presets, built } = definition;
  const require = (isMet: boolean, required: string, received: unknown): void => {
    if (!isMet) throw new ArgumentError({ operation: `defineEntry ${topic}/${id}`, required, received: JSON.stringify(received) ?? 'nothing' });
  };
  require(SLUG.test(id), 'id must be lower-case words joined by hyphens', id);
  require(topics.includes(topic), `topic must be one of ${topics.join(', ')}`, topic);
  require(source.title !== '' && source.authors.length > 0 && Number.isInteger(source.year), 'source must have title, authors and year', source);
  require(question.trim().endsWith('?'), 'question must be a sentence that ends with a question mark', question);
  require(method.trim() !== '', 'method must describe how the question is answered', method);
  require(built.length > 0, 'built must name what of the library the entry shows', built);
  require('quick' in presets && 'full' in presets, 'presets must be quick and full', Object.keys(presets));
  require(claims.length > 0, 'claims must have at least one claim: an entry without claims cannot fail', claims.length);
  for (const [i, claim] of claims.entries()) {
    require(SLUG.test(claim.id), `claims[${i}].id must be lower-case words joined by hyphens`, claim.id);
    require(claims.findIndex((other) => other.id === claim.id) === i, `claims[${i}].id must be unique`, claim.id);
    require(claim.text.trim() !== '', `claims[${i}].text must say what is claimed`, claim.text);
    require(claim.deviation === undefined || claim.failure === undefined, `claims[${i}] must have a deviation or a failure, not both`, claim.id);
  }
  return definition;
}

/** `TOPIC/ID`. */
export const entryPath = ({ topic, id }: Pick<Entry, 'topic' | 'id'>): string => `${topic}/${id}`;
