/** Entries and their claims as text for the terminal. @module */
import { countVerdicts, type JudgedCheck, type JudgedClaim } from '../atlas/index.ts';
import { plainText } from '../atlas/gallery/plain-text.ts';
import { entryViews } from '../atlas/gallery/view.ts';
import type { LoadedEntry } from '../atlas/node.ts';
import { formatMeasurement, formatNumber } from '../charts/index.ts';

const WIDTH = 100;
/** A terminal that is narrower breaks the lines itself. */
const NARROWEST = 40;

/** Words in lines of at most `width` letters, each line indented. */
export function wrapped(text: string, indent = '  ', width = Math.min(WIDTH, Math.max(NARROWEST, process.stdout.columns || WIDTH))): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => indent + each).join('\n');
}

/** `3 hold, 1 holds with deviation, 2 fail`. */
export function verdictCounts(claims: readonly Pick<JudgedClaim, 'verdict'>[]): string {
  const { holds, fails, 'holds with deviation': deviating } = countVerdicts(claims);
  const parts = [[holds, holds === 1 ? 'holds' : 'hold'], [deviating, deviating === 1 ? 'holds with deviation' : 'hold with deviation'], [fails, fails === 1 ? 'fails' : 'fail']] as const;
  return parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`).join(', ') || 'no claim tested';
}

/** `gap between eigenvalues: 12.3 ± 0.4 (standard error, n = 5) > 10`. */
function checkText({ what, measured: { value, error, kind, samples }, relation, threshold }: JudgedCheck): string {
  const about = kind === 'exact' ? '' : ` (${kind}${samples === undefined ? '' : `, n = ${samples}`})`;
  const limit = typeof threshold === 'number' ? formatNumber(threshold) : `${formatNumber(threshold[0])} to ${formatNumber(threshold[1])}`;
  return `${what}: ${formatMeasurement(value, kind === 'exact' ? undefined : error)}${about} ${relation} ${limit}`;
}

const checkLines = (checks: readonly JudgedCheck[]): string[] =>
  checks.map((check) => `      ${check.holds ? 'holds' : 'fails'}  ${checkText({ ...check, what: plainText(check.what, 'a check') })}`);

/** The verdict in words: documented failures say so. */
export const verdictText = ({ verdict, documented = false }: Pick<JudgedClaim, 'verdict' | 'documented'>): string =>
  (!documented ? verdict : verdict === 'fails' ? 'fails (documented)' : `${verdict}, though the entry documents that it fails: its \`failure\` can go`);

/** A claim with verdict, reason and checks; controls on request, and always where the claim fails undocumented. */
export function claimText(claim: JudgedClaim, where: string, { controls = false }: { readonly controls?: boolean } = {}): string {
  const { id, text, source, reason, checks, verdict, documented } = claim;
  const plain = (part: string): string => plainText(part, `${where}, claim ${id}`);
  return [
    `  ${id}: ${verdictText(claim)}`,
    wrapped(plain(text) + (source === undefined ? '' : ` (${plain(source)})`), '    '),
    ...(reason === undefined ? [] : [wrapped(`reason: ${plain(reason)}`, '    ')]),
    ...checkLines(checks),
    ...(controls || (verdict === 'fails' && documented !== true) ? ['    controls, none of which may hold:', ...checkLines(claim.controls)] : []),
  ].join('\n');
}

/** Everything about an entry: `thalweg atlas show`. */
export function showText(loaded: LoadedEntry): string {
  const [{ path, entry, claims }] = entryViews([loaded]);
  const { source, question, method, deviations, built, related } = entry;
  const plain = (text: string): string => plainText(text, path);
  const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', title, ...lines]);
  return [
    plain(source.title), wrapped(`${source.authors.join(', ')}, ${source.year}${source.arxiv === undefined ? '' : `, arXiv:${source.arxiv}`}`, ''), `atlas entry ${path}`,
    ...section('Question', [wrapped(plain(question))]),
    ...section('Method', method.split(/\n\s*\n/).map((part) => wrapped(plain(part)))),
    ...section('What differs from the paper', deviations.map((text) => wrapped(plain(text)))),
    ...section('Claims', claims.flatMap(({ definition, judged, preset }, i) => [
      ...(i === 0 ? [] : ['']),
      ...(judged === undefined ? [`  ${definition.id}: not run yet`, wrapped(plain(definition.text), '    ')] : [claimText(judged, path, { controls: true }), `    (stored run, ${preset})`]),
    ])),
    ...section('Built of', built.map(({ name, from, what }) => wrapped(`${name} of ${from}: ${plain(what)}`))),
    ...section('Files', [`  ${loaded.sourcePath}`]),
    ...section('Related', related === undefined ? [] : [wrapped(related.join(', '))]),
    ...section('Run it', [`  thalweg atlas run ${path} --preset quick`]),
  ].join('\n');
}
