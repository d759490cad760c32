/** Marks searched words in the page, and cuts a line of text around them. @module */
import { normalise, WORD } from './search.ts';

/** Stretches of a text, those that are searched words told from the others. */
export function stretches(text: string, words: ReadonlySet<string>): { readonly text: string; readonly isMatch: boolean }[] {
  const found: { text: string; isMatch: boolean }[] = [];
  let end = 0;
  for (const match of text.matchAll(WORD)) {
    if (!words.has(normalise(match[0]))) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index), isMatch: false });
    found.push({ text: match[0], isMatch: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ text: text.slice(end), isMatch: false });
  return found;
}

function markedNodes(text: string, words: ReadonlySet<string>): Node[] {
  return stretches(text, words).map(({ text: piece, isMatch }) => {
    if (!isMatch) return document.createTextNode(piece);
    const mark = document.createElement('mark');
    mark.textContent = piece;
    return mark;
  });
}

/** Marks the words within an element; formulas stay as they are. Undoes what was marked before. */
export function markWithin(element: Element, words: ReadonlySet<string>): void {
  element.querySelectorAll('mark').forEach((mark) => { mark.replaceWith(mark.textContent ?? ''); });
  element.normalize();
  if (words.size === 0) return;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT, (node) => (node.parentElement?.closest('.katex') === null ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_REJECT));
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts) if (stretches(text.data, words).some(({ isMatch }) => isMatch)) text.replaceWith(...markedNodes(text.data, words));
}

const AROUND = 90;

/** The first text that holds a searched word, cut around it; undefined when none does. */
export function excerpt(texts: readonly string[], words: ReadonlySet<string>): string | undefined {
  for (const text of texts) {
    const parts = stretches(text, words);
    const first = parts.findIndex(({ isMatch }) => isMatch);
    if (first < 0) continue;
    const at = parts.slice(0, first).reduce((sum, part) => sum + part.text.length, 0);
    const from = at <= AROUND ? 0 : text.indexOf(' ', at - AROUND) + 1;
    const far = at + parts[first].text.length + AROUND;
    const to = far >= text.length ? text.length : Math.max(text.lastIndexOf(' ', far), at + parts[first].text.length);
    return `${from > 0 ? '… ' : ''}${text.slice(from, to).trim()}${to < text.length ? ' …' : ''}`;
  }
  return undefined;
}

/** Puts a text with its words marked into an element. */
export function writeMarked(element: Element, text: string, words: ReadonlySet<string>): void { element.replaceChildren(...markedNodes(text, words)); }
