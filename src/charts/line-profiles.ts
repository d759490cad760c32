/** The loss along lines through parameter space. @module */
import * as Plot from '@observablehq/plot';
import { requireIncreasing, requireSameLength, requireSome } from './check.ts';
import type { FigureOptions, LegendItem, NumberList } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH, LINK } from './figure.ts';
import { axisScale, finiteExtent, pad, verticalAxis, widen } from './scale.ts';
import { color } from './theme.ts';

/** Losses along one line through parameter space; every list is as long as `position`. */
export interface LineProfile {
  readonly name: string;
  /** What the line follows, by the name that other figures give it. */
  readonly link?: string;
  /** Positions along the line, increasing; zero at the trained parameters. */
  readonly position: NumberList;
  readonly trainLoss: NumberList;
  readonly testLoss?: NumberList;
  /** Standard errors of the losses where they were estimated on a sample. */
  readonly trainError?: NumberList;
  readonly testError?: NumberList;
}

/** Options of `lineProfiles`, shared by all its panels. */
export interface LineProfilesOptions extends FigureOptions {
  readonly xLabel?: string;
  /** `auto` takes a logarithmic loss axis when all losses are positive and span more than a factor of fifty. */
  readonly scale?: 'auto' | 'linear' | 'log';
}

interface Point { column: number; row: number; link: string; series: 'train' | 'test'; x: number; y: number; low: number; high: number }

const LOG_RATIO = 50;
const ROW_HEIGHT = 210;

function pointsOf(profiles: readonly LineProfile[], columns: number): Point[] {
  return profiles.flatMap((profile, index) => {
    const { position, trainLoss, testLoss, trainError, testError } = profile;
    requireSome('lineProfiles', 'position', position);
    requireSameLength('lineProfiles', { position, trainLoss, testLoss, trainError, testError });
    requireIncreasing('lineProfiles', 'position', position);
    const series = (name: 'train' | 'test', values: NumberList | undefined, error: NumberList | undefined): Point[] =>
      (values === undefined ? [] : Array.from(values, (y, i) => ({
        column: index % columns, row: Math.floor(index / columns), link: profile.link === undefined ? '' : LINK + profile.link, series: name, x: position[i], y,
        low: y - (error?.[i] ?? 0), high: y + (error?.[i] ?? 0),
      })));
    return [...series('train', trainLoss, trainError), ...series('test', testLoss, testError)];
  });
}

/**
 * One panel per line on common axes, so that steep and flat directions compare: train loss solid, test loss dashed, bands of
 * one standard error where given. Values that are not finite leave a gap.
 * @throws ShapeError when lists differ in length; ArgumentError when there is no line or positions do not increase.
 */
export function lineProfiles(profiles: readonly LineProfile[], options: LineProfilesOptions = {}): string {
  requireSome('lineProfiles', 'profiles', profiles);
  const width = options.width ?? DEFAULT_WIDTH;
  const columns = profiles.length === 4 ? 2 : Math.min(3, profiles.length);
  const rows = Math.ceil(profiles.length / columns);
  const points = pointsOf(profiles, columns);
  const hasBand = profiles.some((profile) => profile.trainError !== undefined || profile.testError !== undefined);
  const hasLinks = profiles.some(({ link }) => link !== undefined);
  const hasTest = points.some((point) => point.series === 'test');
  const values = widen(finiteExtent(points.map((point) => point.y)) ?? [0, 1]);
  const { scale = 'auto' } = options;
  const logarithmic = values[0] > 0 && (scale === 'log' || (scale === 'auto' && values[1] > LOG_RATIO * values[0]));
  const range = logarithmic ? values : widen(finiteExtent(points.map((point) => point.low), points.map((point) => point.high), values) ?? values);
  const drawn = points.map((point) => ({ ...point, low: Math.max(point.low, range[0]) }));
  const vertical = axisScale(pad(range, logarithmic), logarithmic, 5);
  const facet = { fx: 'column', fy: 'row' } as const;
  const legend: LegendItem[] = [{ label: 'train loss', color: color.train, shape: 'line' }];
  if (hasTest) legend.push({ label: 'test loss', color: color.test, shape: 'dashed' });
  if (hasBand) legend.push({ label: '± standard error', color: color.muted, shape: 'band' });
  const line = (series: Point['series'], stroke: string, dash?: string): Plot.Markish => Plot.lineY(
    drawn.filter((point) => point.series === series),
    { ...facet, x: 'x', y: (point: Point) => (Number.isFinite(point.y) ? point.y : NaN), stroke, strokeWidth: 1.8, strokeDasharray: dash, ...(hasLinks && { ariaLabel: 'link' }), ariaDescription: `${series} loss` },
  );
  const band = (series: Point['series'], fill: string): Plot.Markish => Plot.areaY(
    drawn.filter((point) => hasBand && point.series === series),
    { ...facet, x: 'x', y1: 'low', y2: 'high', fill, fillOpacity: 0.22, ariaDescription: 'standard error' },
  );
  return composeFigure({
    title: options.title ?? 'Loss along lines', subtitle: options.subtitle,
    description: options.description ?? `Loss along ${profiles.map((profile) => profile.name).join(', ')}.`,
    width, legend,
    rows: [[{
      plot: {
        width, height: ROW_HEIGHT * rows + 80, marginLeft: 60, marginRight: 18, marginTop: 50, marginBottom: 56,
        x: { ...axisScale(widen(finiteExtent(...profiles.map((profile) => profile.position)) ?? [0, 1]), false, 2), label: options.xLabel ?? 'distance along the line', labelArrow: 'none', labelAnchor: 'center' },
        y: { ...vertical, axis: null },
        fx: { axis: null, padding: 0.14 }, fy: { axis: null, padding: rows > 1 ? 0.25 : 0 },
        marks: [
          ...verticalAxis(vertical, 'loss'),
          Plot.ruleX([0], { stroke: color.muted, strokeDasharray: '2,3' }),
          band('train', color.train), band('test', color.test),
          line('train', color.train), line('test', color.test, '6,4'),
          Plot.text(profiles.map((profile, i) => ({ name: profile.name, column: i % columns, row: Math.floor(i / columns) })), {
            ...facet, text: 'name', frameAnchor: 'top', lineAnchor: 'bottom', dy: -6, fontWeight: 600,
          }),
        ],
      },
    }]],
  });
}
