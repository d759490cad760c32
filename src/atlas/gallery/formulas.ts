/** Texts of entries as HTML: escaped, formulas typeset by KaTeX, code between backticks. @module */
import katex from 'katex';
import { escapeHtml } from '../../charts/escape-html.ts';
import { ArgumentError } from '../../util/errors.ts';

/** A stretch of text of one kind. */
export interface TextPart {
  /** `formula` stands in the line, `display` on its own. */
  readonly kind: 'text' | 'formula' | 'display' | 'code';
  readonly text: string;
}

const MARKED = /\\\$|\$\$([\s\S]+?)\$\$|\$([^$]+?)\$|`([^`]+)`/g;

/**
 * Text taken apart at `$formula$`, `$$formula on its own$$` and code between backticks; `\$` is a dollar sign.
 * @throws ArgumentError naming `where` the text stands when a dollar sign has no partner.
 */
export function textParts(text: string, where: string): TextPart[] {
  const parts: TextPart[] = [];
  const plain = (piece: string): void => {
    if (piece.includes('$')) throw new ArgumentError({ operation: `gallery, ${where}`, required: 'dollar signs must enclose formulas in pairs', received: `'${piece.trim()}'`, remedy: 'write \\$ for a dollar sign.' });
    if (piece !== '') parts.push({ kind: 'text', text: piece });
  };
  let end = 0;
  for (const match of text.matchAll(MARKED)) {
    plain(text.slice(end, match.index));
    end = match.index + match[0].length;
    const [whole, display, formula, code] = match;
    if (whole === '\\$') parts.push({ kind: 'text', text: '$' });
    else if (display !== undefined) parts.push({ kind: 'display', text: display });
    else if (formula !== undefined) parts.push({ kind: 'formula', text: formula });
    else parts.push({ kind: 'code', text: code });
  }
  plain(text.slice(end));
  return parts;
}

/** @throws ArgumentError with the formula and what is wrong with it. */
function formulaHtml(tex: string, displayMode: boolean, where: string): string {
  try {
    // Letters of other alphabets inside formulas are read as symbols, so nothing is merely warned of.
    return katex.renderToString(tex, { displayMode, throwOnError: true, strict: false, trust: false });
  } catch (error) {
    throw new ArgumentError({ operation: `gallery, ${where}`, required: 'formulas must be TeX that KaTeX reads', received: `$${tex}$ (${(error as Error).message.replace(/^KaTeX parse error: /, '').replace(/\u0332/g, '')})` });
  }
}

/** Text of an entry as HTML within a paragraph. @throws ArgumentError naming `where` it stands, on formulas that cannot be read. */
export function textHtml(text: string, where: string): string {
  return textParts(text, where).map(({ kind, text: piece }) => {
    if (kind === 'text') return escapeHtml(piece);
    if (kind === 'code') return `<code>${escapeHtml(piece)}</code>`;
    return formulaHtml(piece, kind === 'display', where);
  }).join('');
}

/** The same as paragraphs, which empty lines part. */
export const paragraphsHtml = (text: string, where: string): string =>
  text.split(/\n\s*\n/).filter((part) => part.trim() !== '').map((part) => `<p>${textHtml(part.trim(), where)}</p>`).join('\n');
