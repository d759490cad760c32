/** Texts of entries without markup, for search, previews and alternative texts. @module */
import { readableFormula } from '../readable-formula.ts';
import { textParts } from './formulas.ts';

/** Text with its formulas in the letters of Unicode and code without its marks, in one line. @throws ArgumentError as `textParts`. */
export const plainText = (text: string, where: string): string =>
  textParts(text, where).map(({ kind, text: piece }) => (kind === 'formula' || kind === 'display' ? readableFormula(piece) : piece)).join('').replace(/\s+/g, ' ').trim();
