import { describe, expect, test } from 'vitest';
import { paragraphsHtml, textHtml, textParts } from './formulas.ts';
import { plainText } from './plain-text.ts';

describe('texts of entries', () => {
  test('are escaped, with formulas and code set apart', () => {
    expect(textParts('a $x < y$ costs \\$3, `f(x)`: $$z$$', 'here')).toEqual([
      { kind: 'text', text: 'a ' }, { kind: 'formula', text: 'x < y' }, { kind: 'text', text: ' costs ' }, { kind: 'text', text: '$' }, { kind: 'text', text: '3, ' },
      { kind: 'code', text: 'f(x)' }, { kind: 'text', text: ': ' }, { kind: 'display', text: 'z' },
    ]);
    const html = textHtml('<img src=x onerror=alert(1)> & `<b>` $a < b$', 'here');
    expect(html).not.toMatch(/<img|<b>/);
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; <code>&lt;b&gt;</code>');
    expect(html).toContain('class="katex-html"');
    expect(paragraphsHtml('one\n\ntwo\nlines', 'here')).toBe('<p>one</p>\n<p>two\nlines</p>');
  });

  test('formulas cannot load or link anything', () => {
    expect(() => textHtml('$\\undefinedcommand$', 'here')).toThrow();
    for (const tex of ['\\href{javascript:alert(1)}{x}', '\\includegraphics{http://example.org/a.png}', '\\htmlClass{a}{x}']) {
      expect(textHtml(`$${tex}$`, 'here')).not.toMatch(/<a |<img|class="a"/);
    }
  });

  test('a formula that cannot be read names the text it stands in and itself', () => {
    expect(() => textHtml('The rate is $\\frac{1}{$.', 'dynamics/catapult, claim width')).toThrowErrorMatchingInlineSnapshot(`[ArgumentError: gallery, dynamics/catapult, claim width: formulas must be TeX that KaTeX reads, got $\\frac{1}{$ (Unexpected end of input in a macro argument, expected '}' at end of input: \\frac{1}{).]`);
    expect(() => textHtml('$x$ costs 3 $', 'dynamics/catapult, method')).toThrowErrorMatchingInlineSnapshot(`
      [ArgumentError: gallery, dynamics/catapult, method: dollar signs must enclose formulas in pairs, got 'costs 3 $'.
        Try: write \\$ for a dollar sign.]
    `);
  });

  test('as plain text have the letters of Unicode', () => {
    expect(plainText('Sharpness $\\lambda_1 \\le 2/\\eta$ by\n`train`.', 'here')).toBe('Sharpness λ₁ ≤ 2/η by train.');
  });
});
