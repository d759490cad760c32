/** Names that a mistyped one may have meant. @module */
import MiniSearch from 'minisearch';

/** At most `count` of the names, the likeliest first; none when nothing is near. */
export function nearNames(mistyped: string, names: readonly string[], count = 3): string[] {
  const index = new MiniSearch<{ readonly id: string }>({ fields: ['id'], tokenize: (text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '') });
  index.addAll(names.map((id) => ({ id })));
  return index.search(mistyped, { fuzzy: 0.4, prefix: true }).slice(0, count).map(({ id }) => id as string);
}
