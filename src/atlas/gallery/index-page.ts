/** The first page of the gallery: all papers as cards, with search and filters. @module */
import { escapeHtml } from '../../charts/escape-html.ts';
import { topics } from '../entry.ts';
import { normalise, type PaperDocument } from './client/search.ts';
import { textHtml } from './formulas.ts';
import { authorsText, outcomeClass, pageHtml, tallyBadges, verdictBadge } from './layout.ts';
import { plainText } from './plain-text.ts';
import { topicTexts } from './topics.ts';
import { outcomeOf, outcomes, tallyOf, type EntryView } from './view.ts';

/** Where the thumbnail of an entry lies, from the folder of the site. */
export const thumbnailPath = ({ path }: EntryView): string => `thumbnails/${path}.svg`;

/** The title that a figure carries. */
const figureTitle = (svg: string): string => /<title>([\s\S]*?)<\/title>/.exec(svg)?.[1] ?? '';

function card(view: EntryView): string {
  const { entry: { source, topic, question }, path, page, figure, tally } = view;
  const where = `${path}, question`;
  const picture = figure === undefined ? '<span class="empty">not run yet</span>'
    : `<img src="${thumbnailPath(view)}" alt="Figure: ${figureTitle(figure.svg).replace(/"/g, '&quot;')}" loading="lazy" width="430" height="300">`;
  return `<li class="card" data-path="${path}">
<div class="picture">${picture}</div>
<p class="kicker"><span data-searched>${topicTexts[topic].heading}</span> · ${source.year}</p>
<h3 data-searched><a href="${page}">${textHtml(source.title, `${path}, title`)}</a></h3>
<p class="authors" data-searched>${escapeHtml(authorsText(source.authors))}</p>
<p class="question" data-searched>${textHtml(question, where)}</p>
<p class="excerpt" hidden></p>
<p class="badges">${tallyBadges(tally)}</p>
</li>`;
}

/** One mark for each claim of a topic, in the order of the papers. */
const claimMarks = (views: readonly EntryView[]): string =>
  `<span class="marks" aria-hidden="true">${views.flatMap(({ claims }) => claims.map((claim) => `<i class="${outcomeClass(outcomeOf(claim))}"></i>`)).join('')}</span>`;

function topicChoices(views: readonly EntryView[]): string {
  const present = topics.filter((topic) => views.some(({ entry }) => entry.topic === topic));
  const choice = (value: string, heading: string, some: readonly EntryView[]): string =>
    `<label class="topic"><input type="radio" name="topic" value="${value}"${value === '' ? ' checked' : ''}><span class="tile"><span class="name">${heading}</span><span class="number">${some.length}</span>${value === '' ? '' : claimMarks(some)}</span></label>`;
  return [choice('', 'All topics', views), ...present.map((topic) => choice(topic, topicTexts[topic].heading, views.filter(({ entry }) => entry.topic === topic)))].join('\n');
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const countsOf = <T>(values: readonly T[]): [T, number][] => [...new Set(values)].map((value) => [value, values.filter((other) => other === value).length]);

function select(name: string, label: string, choices: readonly (readonly [value: string, text: string])[]): string {
  return `<label class="field"><span>${label}</span><select name="${name}">${choices.map(([value, text]) => `<option value="${escapeHtml(value)}">${escapeHtml(text)}</option>`).join('')}</select></label>`;
}

function finder(views: readonly EntryView[]): string {
  const sortKey = (author: string): string => normalise(`${author.split(' ').at(-1)} ${author}`);
  const authors = countsOf(views.flatMap(({ entry }) => entry.source.authors.filter((author) => !author.startsWith('and ')))).sort(([a], [b]) => compare(sortKey(a), sortKey(b)));
  const years = countsOf(views.map(({ entry }) => entry.source.year)).sort(([a], [b]) => b - a);
  return `<form id="finder" class="finder" role="search" aria-label="Papers">
<label class="search"><span class="hidden">Search titles, authors, questions, methods and claims</span><input type="search" name="q" placeholder="Search titles, authors, questions, methods, claims" autocomplete="off" spellcheck="false" enterkeyhint="search"></label>
<fieldset class="topics"><legend class="hidden">Topic</legend>
${topicChoices(views)}
</fieldset>
<div class="fields">
${select('author', 'Author', [['', 'Any author'], ...authors.map(([author, count]) => [author, count > 1 ? `${author} (${count})` : author] as const)])}
${select('year', 'Year', [['', 'Any year'], ...years.map(([year, count]) => [String(year), `${year} (${count})`] as const)])}
${select('verdict', 'Outcome', [['', 'Any outcome'], ['holds', 'Every claim holds'], ['deviation', 'Some with deviation'], ['fails', 'Some fail'], ['untested', 'Some not tested yet']])}
${select('sort', 'Order', [['', 'Topic or match'], ['topic', 'Topic'], ['title', 'Title'], ['author', 'First author'], ['newest', 'Newest first'], ['oldest', 'Oldest first']])}
<button type="button" id="clear" hidden>Clear all</button>
</div>
<noscript><p>Search and filters need scripts; every paper is listed below.</p></noscript>
</form>`;
}

/** What search knows of a paper. */
export function documentOf({ entry, path, claims }: EntryView): PaperDocument {
  const plain = (text: string, what: string): string => plainText(text, `${path}, ${what}`);
  return {
    path, topic: entry.topic, title: plain(entry.source.title, 'title'), authors: entry.source.authors, year: entry.source.year,
    question: plain(entry.question, 'question'), method: plain(entry.method, 'method'), claims: entry.claims.map(({ id, text }) => plain(text, `claim ${id}`)),
    built: entry.built.map(({ name }) => name), verdicts: [...new Set(claims.map((claim) => outcomeClass(outcomeOf(claim))))],
  };
}

/** The page that lists all papers; search data lie in it. */
export function indexPage(views: readonly EntryView[]): string {
  const tally = tallyOf(views.flatMap(({ claims }) => claims));
  const total = outcomes.reduce((sum, outcome) => sum + tally[outcome], 0);
  const items = views.flatMap((view, i) => {
    const { topic } = view.entry;
    const { heading, about } = topicTexts[topic];
    return [...(i === 0 || views[i - 1].entry.topic !== topic ? [`<li class="group" data-group="${topic}"><h2>${heading}</h2><p>${about}</p></li>`] : []), card(view)];
  });
  // "</script" inside would end the element.
  const data = JSON.stringify(views.map(documentOf)).replace(/</g, '\\u003c');
  return pageHtml({
    title: 'Thalweg Atlas', toRoot: '', className: 'index',
    description: `${views.length} papers on loss landscapes and gradient dynamics as programs with claims that can fail.`,
    content: `<main id="content" tabindex="-1">
<header class="hero">
<h1>Papers as programs, with claims that can fail</h1>
<p>Each paper here is a short program that measures what the paper says, with an error on every number. A claim holds when the measurement passes its threshold and a control, in which the claimed cause is missing, does not.</p>
<p class="total">${views.length} ${views.length === 1 ? 'paper' : 'papers'}, ${total} ${total === 1 ? 'claim' : 'claims'}: ${outcomes.filter((outcome) => tally[outcome] > 0).map((outcome) => verdictBadge(outcome, `${tally[outcome]} ${outcome === 'untested' ? 'not tested yet' : outcome === 'holds' ? 'hold' : outcome === 'fails' ? 'fail' : 'with deviation'}`)).join(' ')}</p>
</header>
<div class="browse">
${finder(views)}
<div class="results">
<h2 id="count" class="count" aria-live="polite">${views.length} ${views.length === 1 ? 'paper' : 'papers'}</h2>
<ol id="papers" class="papers grouped">
${items.join('\n')}
</ol>
<div id="nothing" class="nothing" role="status" hidden><p id="nothing-text"></p><p><button type="button" id="suggestion" hidden></button> <button type="button" id="nothing-clear">Show all papers</button></p></div>
</div>
</div>
</main>
<script type="application/json" id="papers-data">${data}</script>`,
  });
}
