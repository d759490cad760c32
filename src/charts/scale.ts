/** Domains and ticks of axes, common to the figures. @module */
import * as Plot from '@observablehq/plot';
import type { NumberList } from './figure.ts';
import { formatDecade, formatTick } from './format.ts';
import { color } from './theme.ts';

/** Smallest and largest finite value over all lists; undefined when there is none. */
export function finiteExtent(...lists: readonly NumberList[]): readonly [number, number] | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      if (!Number.isFinite(list[i])) continue;
      low = Math.min(low, list[i]);
      high = Math.max(high, list[i]);
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** A domain of positive width: a single value is given room on both sides. */
export function widen([low, high]: readonly [number, number]): [number, number] {
  if (high > low) return [low, high];
  const room = low === 0 ? 1 : Math.abs(low) * 0.5;
  return [low - room, high + room];
}

/** A domain with a little room at both ends, in proportion on a logarithmic axis. */
export function pad([low, high]: readonly [number, number], logarithmic: boolean): [number, number] {
  if (logarithmic) {
    const factor = (high / low) ** 0.04;
    return [low / factor, high * factor];
  }
  return [low - 0.04 * (high - low), high + 0.04 * (high - low)];
}

/** Powers of ten within a positive domain, thinned to at most `count`; 1-2-5 steps where those are few, and even steps where the domain holds fewer than two of them. */
export function logTicks(low: number, high: number, count = 7): number[] {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.ceil(Math.log10(high) - 1e-9);
  const inside = (value: number): boolean => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);
  const decades = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const fine = decades.flatMap((power) => [1, 2, 5].map((m) => Number(`${m}e${power}`))).filter(inside);
  if (fine.length < 2) return evenTicks(low, high);
  if (fine.length <= count + 1) return fine;
  const whole = decades.filter((power) => inside(Number(`1e${power}`)));
  const step = Math.ceil(whole.length / count);
  return whole.filter((power) => power % step === 0).map((power) => Number(`1e${power}`));
}

/** Four or so multiples of 1, 2 or 5 times a power of ten. */
function evenTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((multiple) => multiple * power >= rough * (1 - 1e-9)) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** What an axis and its grid lines share. */
export interface AxisScale {
  readonly type: 'log' | 'linear';
  readonly domain: readonly [number, number];
  readonly ticks: number | number[];
  readonly tickFormat: (value: number) => string;
}

/** Options of a linear or logarithmic axis, with ticks that stay few enough for a phone. */
export function axisScale(domain: readonly [number, number], logarithmic: boolean, ticks = 5): AxisScale {
  if (!logarithmic) return { type: 'linear', domain, ticks, tickFormat: formatTick };
  const wide = domain[1] > 1e4 * domain[0];
  return { type: 'log', domain, ticks: logTicks(domain[0], domain[1], ticks + 2), tickFormat: wide ? formatDecade : formatTick };
}

/**
 * The vertical axis with its label on top and its grid lines. The labels go in as text, since Plot would drop some of those of
 * a logarithmic axis as d3 does.
 */
export const verticalAxis = ({ ticks, tickFormat }: AxisScale, label: string): Plot.Markish[] => [
  Plot.gridY({ stroke: color.grid, strokeOpacity: 1, ticks }),
  Plot.axisY({ ticks, text: (value: number) => tickFormat(value), label, labelArrow: 'none' }),
];
