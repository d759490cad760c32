/** What holds of every figure: same data, same text; no ids; accessible; well formed; rounded snapshots. */
import { describe, expect, test } from 'vitest';
import {
  confusionMatrix, costBars, eigenvalueChart, layerBars, lineProfiles, planeContour, spectralDensity, trainingCurves, trainingSeries, weightSpectrum,
} from './index.ts';
import type { FigureOptions } from './index.ts';
import {
  exampleCosts, exampleCounts, exampleDensity, exampleEigenvalues, exampleLayers, exampleLines, examplePlane, exampleSharpness, exampleTraining, exampleWeightSpectrum,
} from './example-data.test-helper.ts';
import { parseFigure } from './svg.test-helper.ts';

const FIGURES: Readonly<Record<string, (options?: FigureOptions) => string>> = {
  'spectral-density': (options) => spectralDensity(exampleDensity(), options),
  'eigenvalue-chart': (options) => eigenvalueChart({ largest: exampleEigenvalues, smallest: [{ value: -2.31, bound: 0.01 }, { value: -1.2, bound: 0.1 }] }, options),
  'plane-contour': (options) => planeContour(examplePlane(15), options),
  'line-profiles': (options) => lineProfiles(exampleLines(), options),
  'training-curves': (options) => trainingCurves(exampleTraining(), options),
  'training-series': (options) => trainingSeries(exampleSharpness(), options),
  'confusion-matrix': (options) => confusionMatrix({ counts: exampleCounts }, options),
  'layer-bars': (options) => layerBars(exampleLayers, options),
  'cost-bars': (options) => costBars(exampleCosts, options),
  'weight-spectrum': (options) => weightSpectrum(exampleWeightSpectrum(), options),
};

/** Tenths of pixels: differences below are the business of the platform's mathematics library. */
const rounded = (svg: string): string => svg.replace(/(\d+\.\d+)/g, (n) => String(Math.round(Number(n) * 10) / 10)).replaceAll('><', '>\n<');

describe.each(Object.entries(FIGURES))('%s', (name, draw) => {
  test('is a function of its data', () => expect(draw()).toBe(draw()));

  test('has no id, script or reference, and names itself', () => {
    const svg = draw({ title: 'A title', description: 'What it shows' });
    expect(svg).not.toMatch(/\sid=|url\(|<script|href=|NaN,|,NaN|undefined/);
    const root = parseFigure(svg).documentElement;
    expect(root.getAttribute('role')).toBe('img');
    expect(root.children[0].tagName).toBe('title');
    expect(root.children[0].textContent).toBe('A title');
    expect(root.children[1].textContent).toBe('What it shows');
  });

  test('escapes its texts', () => {
    const hostile = '</title><script>alert("1")</script> & \u0000\u001b';
    const svg = draw({ title: hostile, subtitle: hostile, description: hostile });
    expect(svg).not.toContain('<script');
    for (const control of ['\u0000', '\u001b']) expect(svg).not.toContain(control);
    expect(parseFigure(svg).querySelector('title')?.textContent).toContain('<script>alert("1")</script> &');
  });

  test('stays within its width at 640 and 420 pixels', () => {
    for (const width of [640, 420]) {
      const root = parseFigure(draw({ width })).documentElement;
      expect(root.getAttribute('viewBox')).toMatch(new RegExp(`^0 0 ${width} \\d+$`));
      const panels = [...root.querySelectorAll('svg.panel')];
      for (const panel of panels) expect(Number(panel.getAttribute('x')) + Number(panel.getAttribute('width'))).toBeLessThanOrEqual(width + 0.01);
    }
  });

  test('matches its snapshot', async () => { await expect(rounded(draw())).toMatchFileSnapshot(`__snapshots__/${name}.svg`); });
});

test('a curve of one value is a dot with its error', () => {
  const root = parseFigure(trainingCurves({ trainLoss: { steps: [1, 2, 3], values: [3, 2, 1] }, testLoss: { steps: [3], values: [1.5], errors: [0.2] } })).documentElement;
  expect(root.querySelectorAll('[aria-description=test] circle, circle[aria-description=test]')).toHaveLength(1);
  expect(root.querySelectorAll('[aria-description="standard error"] line, line[aria-description="standard error"]')).toHaveLength(1);
});
