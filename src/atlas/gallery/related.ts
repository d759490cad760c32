/** Which entries belong beside an entry. @module */
import type { Entry } from '../entry.ts';
import { entryPath } from '../entry.ts';

/** An entry that belongs beside another. */
export interface RelatedEntry {
  readonly entry: Entry;
  /** Why: plain text. */
  readonly reason: string;
}

const MOST = 4;
/** Similarity below which two entries of different topics have only words of the trade in common. */
const LEAST = 0.08;
const SAME_TOPIC = 0.15;
const SHARED_PIECE = 0.3;

/** Words of title, question and method with their counts, formulas left out; words of three letters and less say little. */
function wordsOf({ source, question, method }: Entry): Map<string, number> {
  const text = [source.title, question, method].join(' ').replace(/\$[^$]*\$/g, ' ').toLowerCase();
  const counts = new Map<string, number>();
  for (const word of text.match(/[\p{Letter}]{4,}/gu) ?? []) {
    const stem = word.replace(/(ies|es|s)$/, '');
    counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }
  return counts;
}

/** Unit vectors of words weighted by how rare they are among the entries (tf-idf). */
function vectorsOf(entries: readonly Entry[]): ReadonlyMap<Entry, ReadonlyMap<string, number>> {
  const counts = entries.map((entry) => [entry, wordsOf(entry)] as const);
  const spread = new Map<string, number>();
  for (const [, words] of counts) for (const word of words.keys()) spread.set(word, (spread.get(word) ?? 0) + 1);
  return new Map(counts.map(([entry, words]) => {
    const weights = [...words].map(([word, count]) => [word, (1 + Math.log(count)) * Math.log(entries.length / spread.get(word)!)] as const);
    const norm = Math.sqrt(weights.reduce((sum, [, weight]) => sum + weight ** 2, 0)) || 1;
    return [entry, new Map(weights.map(([word, weight]) => [word, weight / norm]))];
  }));
}

const dot = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number =>
  [...a].reduce((sum, [word, weight]) => sum + weight * (b.get(word) ?? 0), 0);

/** Pieces of the library that both entries show. */
function sharedPieces(a: Entry, b: Entry): string[] {
  const own = new Set(a.built.map(({ name, from }) => `${from} ${name}`));
  return b.built.filter(({ name, from }) => own.has(`${from} ${name}`)).map(({ name }) => name);
}

/**
 * Up to four entries to read next, by `TOPIC/ID`: first those that the entry names in `related`, then those that name it, then the nearest by
 * shared pieces of the library, topic and words. An entry named in `related` that is not among the entries is left out.
 */
export function relatedEntries(entries: readonly Entry[]): ReadonlyMap<string, readonly RelatedEntry[]> {
  const vectors = vectorsOf(entries);
  const byPath = new Map(entries.map((entry) => [entryPath(entry), entry]));
  return new Map(entries.map((entry) => {
    const path = entryPath(entry);
    const others = entries.filter((other) => other !== entry);
    const named = (entry.related ?? []).flatMap((name) => { const other = byPath.get(name); return other === undefined || other === entry ? [] : [other]; });
    const naming = others.filter((other) => other.related?.includes(path) === true && !named.includes(other));
    const ranked = others.map((other) => {
      const pieces = sharedPieces(entry, other);
      const isNear = other.topic === entry.topic;
      const score = dot(vectors.get(entry)!, vectors.get(other)!) + SHARED_PIECE * pieces.length + (isNear ? SAME_TOPIC : 0);
      const reason = pieces.length > 0 ? `also shows ${pieces.slice(0, 2).join(' and ')}` : isNear ? 'same topic' : 'close in words';
      return { entry: other, score, reason };
    }).filter(({ entry: other, score }) => score > LEAST && !named.includes(other) && !naming.includes(other))
      .sort((a, b) => b.score - a.score || (entryPath(a.entry) < entryPath(b.entry) ? -1 : 1));
    const all = [
      ...named.map((other) => ({ entry: other, reason: 'belongs beside it' })),
      ...naming.map((other) => ({ entry: other, reason: 'refers to it' })),
      ...ranked.map(({ entry: other, reason }) => ({ entry: other, reason })),
    ];
    return [path, all.slice(0, Math.max(MOST, named.length))];
  }));
}
