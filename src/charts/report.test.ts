import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { viewerScript } from './viewer-bundle.js';
import { parseHTML } from 'linkedom/worker';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { costBars } from './cost-bars.ts';
import { exampleCosts } from './example-data.test-helper.ts';
import type { Report } from './report.ts';
import { reportPage } from './report.ts';

const HOSTILE = `<img src=x onerror="alert('1')"> & co`;
const report: Report = {
  title: HOSTILE, subtitle: HOSTILE, provenance: { [HOSTILE]: HOSTILE },
  summary: [{ label: HOSTILE, value: 31.4159, error: 0.012, note: HOSTILE }, { label: 'b', value: HOSTILE }, { label: 'c', value: 1.2e-7, error: 1e-9 }],
  sections: [{
    id: 'spectrum', heading: HOSTILE, text: `first ${HOSTILE}\n\nsecond`, figures: [{ svg: costBars(exampleCosts), caption: HOSTILE }],
    tables: [{ columns: [HOSTILE, 'value'], rows: [[HOSTILE, 0.5], ['b', '1.20 ± 0.05']], caption: HOSTILE }],
  }],
};

describe('reportPage', () => {
  const html = reportPage(report);
  const { document } = parseHTML(html);

  test('is a function of its input', () => expect(reportPage(report)).toBe(html));

  test('escapes every text', () => {
    // The page's own script stands at its end.
    expect(document.querySelectorAll('img, script:not(body > script:last-child)')).toHaveLength(0);
    // Title twice, subtitle, three in the summary, contents, heading, text, two captions, column, cell, provenance twice.
    expect(html.match(/&lt;img src=x onerror=&quot;alert\(&#39;1&#39;\)&quot;&gt; &amp; co/g)).toHaveLength(15);
  });

  test('refers to nothing outside of itself', () => {
    expect(html.replace(viewerScript, '').replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|\/\/[a-z]|url\(|@import|src=[^x]|<link/);
    expect(html).toContain(`default-src 'none'`);
    expect(html).toContain(`script-src 'sha256-${createHash('sha256').update(viewerScript).digest('base64')}'`);
  });

  test('numbers carry their errors', () => {
    const values = [...document.querySelectorAll('.summary .value')].map((node) => node.textContent);
    expect(values).toEqual(['31.416 ± 0.012', HOSTILE, '(1.200 ± 0.010)×10⁻⁷']);
  });

  test('contents link to sections, paragraphs and figures are there', () => {
    for (const link of document.querySelectorAll('nav a')) expect(document.querySelector(link.getAttribute('href') as string)).not.toBeNull();
    expect(document.querySelectorAll('section p')).toHaveLength(2);
    expect(document.querySelectorAll('figure svg.thalweg-figure')).toHaveLength(1);
    expect([...document.querySelectorAll('td.number')].map((cell) => cell.textContent)).toEqual(['0.5', '1.20 ± 0.05']);
  });

  test('refuses anchors and tables that do not fit', () => {
    const [section] = report.sections;
    expect(() => reportPage({ ...report, sections: [section, section] })).toThrow(ArgumentError);
    expect(() => reportPage({ ...report, sections: [{ ...section, id: '"><b>' }] })).toThrow(ArgumentError);
    expect(() => reportPage({ ...report, sections: [{ ...section, tables: [{ columns: ['a', 'b'], rows: [['1']] }] }] })).toThrow(ShapeError);
  });
});
