/** What the reader has asked the list of papers for, as the part of the address after `#`. @module */

/** How the cards are ordered. `relevance` is how well they match what is searched. */
export const orders = ['topic', 'relevance', 'title', 'author', 'newest', 'oldest'] as const;
export type Order = typeof orders[number];

/** A search and filters; an empty text means no filter. All of them must be met. */
export interface GalleryState {
  readonly search: string;
  readonly topic: string;
  readonly author: string;
  readonly year: string;
  readonly verdict: string;
  /** Empty: `relevance` where something is searched, `topic` otherwise. */
  readonly order: Order | '';
}

export const emptyState: GalleryState = { search: '', topic: '', author: '', year: '', verdict: '', order: '' };

/** Reads the part of an address after `#`; what it does not know is left out. */
export function parseState(hash: string): GalleryState {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const order = fields.get('sort') as Order;
  return {
    search: fields.get('q') ?? '', topic: fields.get('topic') ?? '', author: fields.get('author') ?? '', year: fields.get('year') ?? '',
    verdict: fields.get('verdict') ?? '', order: orders.includes(order) ? order : '',
  };
}

/** Writes what `parseState` reads, `#` included; nothing asked is an empty text. */
export function formatState({ search, topic, author, year, verdict, order }: GalleryState): string {
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries({ q: search.trim(), topic, author, year, verdict, sort: order })) if (value !== '') fields.set(name, value);
  const text = fields.toString();
  return text === '' ? '' : `#${text}`;
}

/** The order that the cards are in. */
export const orderOf = ({ order, search }: GalleryState): Order => (order !== '' && (order !== 'relevance' || search.trim() !== '') ? order : search.trim() === '' ? 'topic' : 'relevance');
