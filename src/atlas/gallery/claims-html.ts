/** Claims on the page of an entry: statement, verdict, and each comparison with its place against the threshold. @module */
import { escapeHtml } from '../../charts/escape-html.ts';
import { formatMeasurement, formatNumber } from '../../charts/format.ts';
import type { Check, JudgedCheck, JudgedClaim, Quantity } from '../claim.ts';
import { checkScale, checkStrip } from './check-scale.ts';
import { textHtml } from './formulas.ts';
import { outcomeClass, verdictBadge } from './layout.ts';
import { outcomeOf, type ClaimView } from './view.ts';

const signs = { '<': '<', '<=': '≤', '>': '>', '>=': '≥' } as const;

/** `> 0.4`, `between 0.5 and 1.6`. */
export const conditionText = ({ relation, threshold }: Pick<Check, 'relation' | 'threshold'>): string => {
  if (typeof threshold !== 'number') return threshold[0] === threshold[1] ? `= ${formatNumber(threshold[0], 6)}` : `between ${formatNumber(threshold[0], 6)} and ${formatNumber(threshold[1], 6)}`;
  return `${signs[relation as keyof typeof signs]} ${formatNumber(threshold, 6)}`;
};

/** Value and error as one text; rounding and counts have no error worth writing. */
export function valueText({ value, error, kind }: Quantity): string {
  return kind === 'exact' || kind === 'rounding' ? formatNumber(value) : formatMeasurement(value, error);
}

/** What the error is, in words. */
export function errorText({ error, kind, samples }: Quantity): string {
  const over = samples === undefined ? '' : ` over ${samples}`;
  if (kind === 'exact') return 'exact';
  if (kind === 'rounding') return 'one computation, rounding only';
  if (Number.isNaN(error)) return samples === 1 ? 'one run, so no error' : 'error unknown';
  if (kind === 'bound') return '± bound';
  return kind === 'standard error' ? `± standard error${over}` : `± deviation${samples === undefined ? ' over runs' : ` over ${samples} runs`}`;
}

/** Checks and controls that are compared with one threshold, hence drawn on one scale. */
export interface Comparison { readonly rows: readonly { readonly check: JudgedCheck; readonly role: 'check' | 'control' }[] }

/** Groups by relation and threshold in the order of first appearance, checks before controls. */
export function comparisonsOf({ checks, controls }: Pick<JudgedClaim, 'checks' | 'controls'>): Comparison[] {
  const groups = new Map<string, { check: JudgedCheck; role: 'check' | 'control' }[]>();
  for (const [role, all] of [['check', checks], ['control', controls]] as const) {
    for (const check of all) {
      const key = `${check.relation} ${String(check.threshold)}`;
      groups.set(key, [...(groups.get(key) ?? []), { check, role }]);
    }
  }
  return [...groups.values()].map((rows) => ({ rows }));
}

function outcomeText(holds: boolean, role: 'check' | 'control'): string {
  const isRight = holds === (role === 'check');
  const words = role === 'check' ? (holds ? 'holds' : 'does not hold') : holds ? 'holds, which a control must not' : 'does not hold, as required';
  return `<span class="outcome ${isRight ? 'holds' : 'fails'}"><span class="sign" aria-hidden="true">${isRight ? '✓' : '✕'}</span>${words}</span>`;
}

function comparisonHtml({ rows }: Comparison, where: string): string {
  const scale = checkScale(rows.map(({ check }) => check));
  const condition = conditionText(rows[0].check);
  const items = rows.map(({ check, role }) => `<li class="${role}">
<span class="what">${role === 'control' ? '<b>Control:</b> ' : ''}${textHtml(check.what, where)}</span>
<span class="value"><span class="number">${escapeHtml(valueText(check.measured))}</span> <span class="condition">${check.holds ? '' : 'not '}${escapeHtml(condition)}</span></span>
${checkStrip(check, role, scale)}
<span class="error-kind">${escapeHtml(errorText(check.measured))}</span>
${outcomeText(check.holds, role)}
</li>`);
  return `<ul class="comparison">${items.join('\n')}</ul>${scale.isLogarithmic ? '<p class="scale-note">logarithmic scale</p>' : ''}`;
}

/** The verdict in words; a failure that the entry explains says so. */
const verdictOf = (claim: ClaimView): string => verdictBadge(outcomeOf(claim), claim.judged?.verdict === 'fails' && claim.judged.documented === true ? 'fails, as documented' : undefined);

function reasonHtml({ definition, judged }: ClaimView, where: string): string {
  const parts: [string, string][] = [];
  if (judged?.reason !== undefined && judged.verdict !== 'holds') parts.push([judged.verdict === 'fails' ? 'Why' : 'Deviation', judged.reason]);
  if (judged === undefined && definition.deviation !== undefined) parts.push(['Deviation', definition.deviation]);
  if (judged?.verdict === 'fails' && judged.documented === true) {
    const broken = judged.checks.filter(({ holds }) => !holds).map(({ what }) => what);
    if (broken.length > 0) parts.push(['Does not hold', broken.join('; ')]);
  }
  return parts.map(([label, text]) => `<p class="reason"><b>${label}:</b> ${textHtml(text, where)}</p>`).join('');
}

/** One claim as an article; `main` is the preset that the page shows, and a claim of another one says so. */
export function claimHtml(claim: ClaimView, main: string | undefined, path: string): string {
  const { definition: { id, text, source, only }, judged, preset } = claim;
  const where = `${path}, claim ${id}`;
  const notes = [...(source === undefined ? [] : [textHtml(source, where)]), ...(preset !== undefined && preset !== main ? [`tested at ${preset} size only`] : judged === undefined && only !== undefined ? [`needs the ${only} size`] : [])];
  return `<article class="claim ${outcomeClass(outcomeOf(claim))}" id="${id}" aria-labelledby="${id}-text">
<p class="verdict">${verdictOf(claim)}${notes.length === 0 ? '' : ` <span class="claim-source">${notes.join(' · ')}</span>`}</p>
<h3 id="${id}-text">${textHtml(text, where)}</h3>
${reasonHtml(claim, where)}
${judged === undefined ? '' : comparisonsOf(judged).map((comparison) => comparisonHtml(comparison, where)).join('\n')}
</article>`;
}
