/** Full-text search over the papers, with filters and orders: what the page shows, from what it was asked. @module */
import MiniSearch from 'minisearch';
import { orderOf, type GalleryState } from './state.ts';

/** What is known of a paper in the list; texts without formulas' markup. */
export interface PaperDocument {
  /** `TOPIC/ID`. */
  readonly path: string;
  readonly topic: string;
  readonly title: string;
  readonly authors: readonly string[];
  readonly year: number;
  readonly question: string;
  readonly method: string;
  readonly claims: readonly string[];
  /** Names of the library's pieces. */
  readonly built: readonly string[];
  /** `holds`, `deviation`, `fails` or `untested`: each that a claim of it has. */
  readonly verdicts: readonly string[];
}

/** A paper that is shown. */
export interface FoundPaper {
  readonly document: PaperDocument;
  /** Words of its texts that were searched for, in lower case without accents. */
  readonly words: ReadonlySet<string>;
}

const FIELDS = ['title', 'authors', 'question', 'method', 'claims', 'built', 'topic'] as const;
const WEIGHTS = { title: 4, authors: 3, question: 2.5, claims: 1.5, built: 1.5, topic: 1.5, method: 1 };

/** Lower case, without accents: `Łukasz` and `Poincaré` are found without them. */
export const normalise = (word: string): string => word.normalize('NFD').replace(/\p{Mark}/gu, '').replace(/ł/g, 'l').replace(/Ł/g, 'l').replace(/ø/gi, 'o').toLowerCase();

/** Words are runs of letters and digits. */
export const WORD = /[\p{Letter}\p{Mark}\p{Number}]+/gu;

/** Finds papers; made once for a page. */
export interface PaperSearch {
  /** What meets search and filters, in order. */
  find(state: GalleryState): FoundPaper[];
  /** Another spelling that would find something; undefined when there is none. */
  suggestion(search: string): string | undefined;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const familyName = (author: string): string => normalise(author.split(' ').at(-1) ?? author);

/** @param documents in the order of topics, which is the order when nothing else is asked */
export function paperSearch(documents: readonly PaperDocument[]): PaperSearch {
  const index = new MiniSearch<PaperDocument>({
    idField: 'path', fields: [...FIELDS], processTerm: normalise, tokenize: (text) => text.match(WORD) ?? [],
    extractField: (document, field) => { const value = document[field as keyof PaperDocument]; return Array.isArray(value) ? value.join(' ') : String(value); },
    searchOptions: { boost: WEIGHTS, combineWith: 'AND', prefix: true },
  });
  index.addAll([...documents]);
  const place = new Map(documents.map((document, i) => [document.path, i]));
  const byPath = new Map(documents.map((document) => [document.path, document]));

  const matching = (search: string): FoundPaper[] => {
    if (search.trim() === '') return documents.map((document) => ({ document, words: new Set<string>() }));
    const exact = index.search(search);
    // Slips are forgiven only where nothing is spelt so: near words would fill every other list.
    const found = exact.length > 0 ? exact : index.search(search, { fuzzy: (term) => (term.length > 6 ? 2 : term.length > 3 ? 1 : false) });
    return found.map(({ id, terms }) => ({ document: byPath.get(id as string)!, words: new Set(terms) }));
  };
  const isAsked = ({ topic, author, year, verdict }: GalleryState) => ({ document }: FoundPaper): boolean =>
    (topic === '' || document.topic === topic) && (author === '' || document.authors.includes(author))
    && (year === '' || String(document.year) === year) && (verdict === '' || isVerdict(document, verdict));
  const ordered = (found: FoundPaper[], state: GalleryState): FoundPaper[] => {
    const order = orderOf(state);
    if (order === 'relevance') return found;
    const inPlace = (a: PaperDocument, b: PaperDocument): number => place.get(a.path)! - place.get(b.path)!;
    const rule = {
      topic: () => 0, title: (a: PaperDocument, b: PaperDocument) => compare(normalise(a.title), normalise(b.title)),
      author: (a: PaperDocument, b: PaperDocument) => compare(familyName(a.authors[0]), familyName(b.authors[0])),
      newest: (a: PaperDocument, b: PaperDocument) => b.year - a.year, oldest: (a: PaperDocument, b: PaperDocument) => a.year - b.year,
    }[order];
    return [...found].sort((a, b) => rule(a.document, b.document) || inPlace(a.document, b.document));
  };
  return {
    find: (state) => ordered(matching(state.search).filter(isAsked(state)), state),
    suggestion: (search) => index.autoSuggest(search, { fuzzy: 0.34, combineWith: 'AND' })[0]?.suggestion,
  };
}

/** `holds` asks for papers all of whose claims hold as stated; the others for papers with such a claim. */
const isVerdict = ({ verdicts }: PaperDocument, asked: string): boolean => (asked === 'holds' ? verdicts.every((verdict) => verdict === 'holds') : verdicts.includes(asked));
