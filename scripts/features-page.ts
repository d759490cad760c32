/** The page docs/features.md: its text from the rows, and what is wrong with the evidence that the rows name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { root } from './bootstrap.mjs';
import { absent, featureGroups } from './features-data.ts';
import { goldens, traps } from './features-goldens.ts';

/** A test: its file from the root of the repository, and its title (or that of its `describe`) as the file has it. */
export type Evidence = readonly [file: string, title: string];

/** Something that Thalweg does, and the tests that show it. */
export interface Feature {
  readonly feature: string;
  /** Subpath of the package (`.` is the package itself) -> public names. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
  /** Subcommands of `thalweg` that do it. */
  readonly commands?: readonly string[];
  readonly tests: readonly Evidence[];
  /** The page that describes it, from `docs/`. */
  readonly page: string;
  /** What is left out, where the row holds in part. */
  readonly except?: string;
}

/** A group of rows of the table. */
export interface FeatureGroup {
  readonly title: string;
  readonly rows: readonly Feature[];
}

/** A number that others compute or a defect that others have, and the tests that hold us to it. */
export interface Held {
  readonly what: string;
  readonly tests: readonly Evidence[];
  /** What is not held, where it is in part. */
  readonly except?: string;
}

/** A row of the table that does not hold. */
export interface Absent {
  readonly feature: string;
  readonly why: string;
}

/** Everything the page is made of; the page itself unless a test says otherwise. */
export interface PageData {
  readonly groups: readonly FeatureGroup[];
  readonly goldens: readonly Held[];
  readonly traps: readonly Held[];
  readonly absent: readonly Absent[];
}

const content: PageData = { groups: featureGroups, goldens, traps, absent };

const cell = (text: string): string => text.replaceAll('|', '\\|');
const code = (text: string): string => `\`${cell(text)}\``;
const testLink = ([file, title]: Evidence): string => `[${path.posix.basename(file)}](../${file}): ${code(title)}`;
const specifier = (subpath: string): string => (subpath === '.' ? 'thalweg' : `thalweg/${subpath}`);
const pageTitle = (page: string): string => /^# (.+)$/m.exec(readFileSync(path.join(root, 'docs', page), 'utf8'))?.[1] ?? page;

function whatWeHave({ names = {}, commands = [], except }: Feature): string {
  const imports = Object.entries(names).map(([subpath, list]) => `${list.map(code).join(', ')} of ${code(specifier(subpath))}`);
  return [...imports, ...commands.map((name) => code(`thalweg ${name}`)), ...(except === undefined ? [] : [`*In part:* ${cell(except)}`])].join('; ');
}

/** The rows as a table. */
const featureTable = ({ title, rows }: FeatureGroup): string => [
  `## ${title}`, '', '| feature | what there is | shown by | page |', '|---|---|---|---|',
  ...rows.map((row) => `| ${cell(row.feature)} | ${whatWeHave(row)} | ${row.tests.map(testLink).join('<br>')} | ${existsSync(path.join(root, 'docs', row.page)) ? `[${pageTitle(row.page)}](${row.page})` : row.page} |`),
].join('\n');

const heldTable = (head: string, rows: readonly Held[]): string => [
  `| | ${head} | held by |`, '|---|---|---|',
  ...rows.map(({ what, tests, except }, i) => `| ${i + 1} | ${cell(what)}${except === undefined ? '' : ` *In part:* ${cell(except)}`} | ${tests.map(testLink).join('<br>')} |`),
].join('\n');

/** The text of docs/features.md. */
export function featuresPage({ groups, goldens: numbers, traps: defects, absent: missing }: PageData = content): string {
  const rows = groups.flatMap((group) => group.rows);
  const inPart = rows.filter(({ except }) => except !== undefined).length;
  return `${[
    '# Features', '',
    `What users of other tools for curvature, landscapes, kernels and weight spectra find here: ${rows.length} rows, of which ${inPart} hold in part, each with a test that compares numbers.`,
    'Read a row as a claim and the linked test as its evidence; a title with `%s` or `$name` is a family of tests, one for each case.', '',
    '<!-- Made by `npm run features` from scripts/features-data.ts and scripts/features-goldens.ts: edit those. -->', '',
    `${groups.map(featureTable).join('\n\n')}\n`,
    '## Not here', '', '| feature | why |', '|---|---|', ...missing.map(({ feature, why }) => `| ${cell(feature)} | ${cell(why)} |`), '',
    '## Goldens and traps', '',
    'Numbers and rules that other tools define, and that the same names give here. Where the peer could not be run, its source was re-enacted; names of peers: CLO is curvlinops, TG and MdB are the two repositories called loss-landscape(s).', '',
    heldTable('golden', numbers), '',
    'Defects found in other tools, each with a test that would see it here.', '',
    heldTable('trap', defects),
  ].join('\n')}\n`;
}

/** Titles of the tests and of the groups of tests in a file, those that are skipped excepted. */
export function testTitles(file: string, text: string): Set<string> {
  const titles = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const [title] = node.arguments;
      if (title !== undefined && node.arguments.length > 1 && ts.isStringLiteralLike(title) && isTestCall(node.expression)) titles.add(title.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return titles;
}

/** `test`, `describe.each(cases)`, `test.runIf(x)` and so on, but neither `skip` nor `todo`. */
function isTestCall(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return callee.text === 'test' || callee.text === 'describe';
  if (ts.isPropertyAccessExpression(callee)) return !['skip', 'todo', 'fails'].includes(callee.name.text) && isTestCall(callee.expression);
  return ts.isCallExpression(callee) && isTestCall(callee.expression);
}

/** Names of the subcommands, as their sources give them. */
function commandNames(): Set<string> {
  const folder = path.join(root, 'src', 'cli', 'commands');
  const sources = readdirSync(folder).filter((file) => !file.endsWith('.test.ts')).map((file) => readFileSync(path.join(folder, file), 'utf8'));
  return new Set(sources.flatMap((text) => [...text.matchAll(/(?:new Command\(|\bname: )'([\w-]+)'/g)].map((match) => match[1])));
}

/** One line for each name, command, test or page that a row leans on and that is not there. */
export function evidenceProblems({ groups, goldens: numbers, traps: defects, absent: missing }: PageData = content): string[] {
  const titles = new Map<string, Set<string> | undefined>();
  const titlesOf = (file: string): Set<string> | undefined => {
    if (!titles.has(file)) titles.set(file, existsSync(path.join(root, file)) ? testTitles(file, readFileSync(path.join(root, file), 'utf8')) : undefined);
    return titles.get(file);
  };
  const surface = new Set(readFileSync(path.join(root, 'test', 'api.txt'), 'utf8').split('\n').map((line) => line.split(' ').slice(0, 2).join(' ')));
  const known = commandNames();
  const testProblems = (row: string, tests: readonly Evidence[]): string[] => [
    ...(tests.length === 0 ? [`${row}: no test`] : []),
    ...tests.flatMap(([file, title]) => {
      const found = titlesOf(file);
      if (found === undefined) return [`${row}: there is no file ${file}`];
      return found.has(title) ? [] : [`${row}: ${file} has no test '${title}'`];
    }),
  ];
  const featureProblems = ({ feature, names = {}, commands = [], tests, page }: Feature): string[] => [
    ...(Object.keys(names).length === 0 && commands.length === 0 ? [`${feature}: neither a public name nor a command`] : []),
    ...Object.entries(names).flatMap(([subpath, list]) => list.filter((name) => !surface.has(`${specifier(subpath)} ${name}`)).map((name) => `${feature}: ${specifier(subpath)} does not export ${name}`)),
    ...commands.filter((name) => !known.has(name)).map((name) => `${feature}: there is no command thalweg ${name}`),
    ...testProblems(feature, tests),
    ...(existsSync(path.join(root, 'docs', page)) ? [] : [`${feature}: there is no page docs/${page}`]),
  ];
  const rows = groups.flatMap((group) => group.rows);
  const claimed = rows.map(({ feature }) => feature);
  return [
    ...rows.flatMap(featureProblems),
    ...[...numbers, ...defects].flatMap(({ what, tests }) => testProblems(what, tests)),
    ...claimed.filter((feature, i) => claimed.indexOf(feature) !== i || missing.some((row) => row.feature === feature)).map((feature) => `${feature}: two rows`),
  ];
}
