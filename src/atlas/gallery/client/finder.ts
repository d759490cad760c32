/** The list of papers with its search, filters and order; what was asked stands in the address. @module */
import { excerpt, markWithin, writeMarked } from './marks.ts';
import { paperSearch, type FoundPaper, type PaperDocument } from './search.ts';
import { emptyState, formatState, orderOf, parseState, type GalleryState, type Order } from './state.ts';

const element = <E extends Element>(root: ParentNode, selector: string): E => root.querySelector<E>(selector)!;

/** What the form asks. */
function readForm(form: HTMLFormElement): GalleryState {
  const fields = new FormData(form);
  const text = (name: string): string => String(fields.get(name) ?? '');
  return { search: text('q'), topic: text('topic'), author: text('author'), year: text('year'), verdict: text('verdict'), order: text('sort') as Order | '' };
}

/** Puts a state into the form; values that no choice has become no filter. */
function writeForm(form: HTMLFormElement, state: GalleryState): void {
  element<HTMLInputElement>(form, '[name=q]').value = state.search;
  for (const [name, value] of Object.entries({ author: state.author, year: state.year, verdict: state.verdict, sort: state.order })) {
    const select = element<HTMLSelectElement>(form, `select[name=${name}]`);
    select.value = value;
    if (select.selectedIndex < 0) select.value = '';
  }
  const topics = [...form.querySelectorAll<HTMLInputElement>('[name=topic]')];
  (topics.find(({ value }) => value === state.topic) ?? topics[0]).checked = true;
}

/** Starts search and filters over the cards of the page. */
export function mountFinder(form: HTMLFormElement): void {
  const papers = JSON.parse(element(document, '#papers-data').textContent ?? '[]') as PaperDocument[];
  const search = paperSearch(papers);
  const list = element<HTMLElement>(document, '#papers');
  const cards = new Map([...list.querySelectorAll<HTMLElement>('[data-path]')].map((card) => [card.dataset['path']!, card]));
  const groups = new Map([...list.querySelectorAll<HTMLElement>('[data-group]')].map((group) => [group.dataset['group']!, group]));
  const count = element<HTMLElement>(document, '#count');
  const nothing = element<HTMLElement>(document, '#nothing');
  const clear = element<HTMLButtonElement>(form, '#clear');

  const showCard = ({ document: paper, words }: FoundPaper): HTMLElement => {
    const card = cards.get(paper.path)!;
    card.querySelectorAll('[data-searched]').forEach((part) => { markWithin(part, words); });
    const found = element<HTMLElement>(card, '.excerpt');
    const isSeen = card.querySelector('mark') !== null;
    const line = words.size === 0 || isSeen ? undefined : excerpt([paper.authors.join(', '), ...paper.claims, paper.method, paper.built.join(', ')], words);
    found.hidden = line === undefined;
    writeMarked(found, line ?? '', words);
    return card;
  };
  const show = (state: GalleryState): void => {
    const found = search.find(state);
    const shown = found.map(showCard);
    const isGrouped = orderOf(state) === 'topic';
    const items = isGrouped ? shown.flatMap((card, i) => {
      const topic = found[i].document.topic;
      return i === 0 || found[i - 1].document.topic !== topic ? [groups.get(topic)!, card] : [card];
    }) : shown;
    list.replaceChildren(...items);
    list.classList.toggle('grouped', isGrouped);
    const isAll = formatState({ ...state, order: '' }) === '';
    count.textContent = isAll ? `${papers.length} ${papers.length === 1 ? 'paper' : 'papers'}` : `${found.length} of ${papers.length} ${papers.length === 1 ? 'paper' : 'papers'}`;
    clear.hidden = isAll;
    nothing.hidden = found.length > 0;
    if (found.length === 0) showNothing(state);
  };
  const showNothing = (state: GalleryState): void => {
    const filters = [state.topic, state.author, state.year, state.verdict].filter((value) => value !== '');
    element(nothing, '#nothing-text').textContent = `No paper matches ${[...(state.search.trim() === '' ? [] : [`“${state.search.trim()}”`]), ...filters].join(' with ')}.`;
    const suggested = search.suggestion(state.search);
    const button = element<HTMLButtonElement>(nothing, '#suggestion');
    button.hidden = suggested === undefined || suggested === state.search.trim().toLowerCase();
    button.textContent = `Search “${suggested}”`;
    button.value = suggested ?? '';
  };
  const remember = (state: GalleryState): void => {
    const hash = formatState(state);
    // `#` alone: an address without it would load the page anew.
    if (hash !== location.hash) history.replaceState(null, '', hash === '' ? '#' : hash);
  };
  const ask = (state: GalleryState): void => { writeForm(form, state); remember(readForm(form)); show(readForm(form)); };

  form.addEventListener('input', () => { const state = readForm(form); remember(state); show(state); });
  form.addEventListener('submit', (event) => { event.preventDefault(); });
  clear.addEventListener('click', () => { ask(emptyState); element<HTMLInputElement>(form, '[name=q]').focus(); });
  element(nothing, '#nothing-clear').addEventListener('click', () => { ask(emptyState); element<HTMLInputElement>(form, '[name=q]').focus(); });
  element<HTMLButtonElement>(nothing, '#suggestion').addEventListener('click', ({ currentTarget }) => { ask({ ...readForm(form), search: (currentTarget as HTMLButtonElement).value }); });
  window.addEventListener('hashchange', () => { const state = parseState(location.hash); writeForm(form, state); show(readForm(form)); });
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof Element && event.target.matches('input[type=search], select, textarea');
    if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      element<HTMLInputElement>(form, '[name=q]').focus();
    }
  });
  writeForm(form, parseState(location.hash));
  show(readForm(form));
}
