/** `thalweg list`: the optimizers, schedules, probes, models, losses and data sets that there are. @module */
import { Command } from 'commander';
import { UsageError } from '../exit.ts';
import { listNames, lists, type Listed, type ListedOption, type ListName } from '../lists.ts';

/** The command with its options. */
export function listCommand(): Command {
  return new Command('list')
    .description('What there is to choose from: a line each with options and defaults, or one thing with the meaning of its options.')
    .argument('[what]', listNames.join(', '))
    .argument('[name]', 'one of them')
    .option('--json', 'as JSON')
    .action((what: string | undefined, name: string | undefined, { json = false }: { readonly json?: boolean }) => { process.stdout.write(`${listText(what, name, json)}\n`); });
}

/** What the command prints. @throws UsageError when there is nothing of the name. */
export function listText(what?: string, name?: string, json = false): string {
  if (what === undefined) return json ? asJson(Object.fromEntries(listNames.map((key) => [key, lists[key]()]))) : listNames.map((key) => `${key.padEnd(11)}${lists[key]().length}`).join('\n');
  if (!Object.hasOwn(lists, what)) throw new UsageError(`what is listed must be one of ${listNames.join(', ')}, got '${what}'`);
  const all = lists[what as ListName]();
  if (name === undefined) return json ? asJson(all) : table(all);
  const one = all.find((entry) => entry.name === name);
  if (one === undefined) throw new UsageError(`${what} must be named by one of ${all.map((entry) => entry.name).join(', ')}, got '${name}'`);
  return json ? asJson(one) : details(one);
}

const asJson = (value: unknown): string => JSON.stringify(value, null, 2);

/** `name=default`, or what a value looks like where there is no single default. */
const brief = ({ name, expects, default: standard }: ListedOption): string => `${name}=${standard ?? `<${expects}>`}`;

/** A line each. */
function table(all: readonly Listed[]): string {
  const width = Math.max(...all.map(({ name }) => name.length)) + 2;
  return all.map(({ name, description, options, rate, wraps, example }) => {
    const notes = [...options.map(brief), ...(rate === undefined ? [] : [`usual rate ${rate}`]), ...(wraps === undefined ? [] : [`before another with +, else ${wraps}`]), ...(example === undefined ? [] : [`as ${example}`])];
    return `${name.padEnd(width)}${description}${notes.length === 0 ? '' : ` [${notes.join(', ')}]`}`;
  }).join('\n');
}

/** One thing, its options a line each. */
function details({ name, description, options, rate, wraps, example, columns, cost }: Listed): string {
  const width = Math.max(0, ...options.map((option) => option.name.length)) + 2;
  return [
    `${name}: ${description}`,
    ...(rate === undefined ? [] : [`usual learning rate: ${rate}`]),
    ...(wraps === undefined ? [] : [`stands before another with a plus, as ${name}+${wraps}, which it takes by itself`]),
    ...(example === undefined ? [] : [`written as ${example}`]),
    ...(columns === undefined ? [] : [`columns: ${columns.join(', ')}`]),
    ...(cost === undefined ? [] : [`cost: ${cost}`]),
    ...(options.length === 0 ? ['no options'] : ['options:']),
    ...options.map(({ name: key, expects, about, default: standard }) => `  ${key.padEnd(width)}${about === undefined ? expects : `${about}; ${expects}`}${standard === undefined ? '' : ` (${standard})`}`),
  ].join('\n');
}
