/** The merge tree of a landscape: valleys and the passes where they join. @module */
import * as Plot from '@observablehq/plot';
import { ArgumentError } from '../util/errors.ts';
import { requireSome } from './check.ts';
import type { FigureOptions, LegendItem } from './figure.ts';
import { composeFigure, DEFAULT_WIDTH } from './figure.ts';
import { formatNumber } from './format.ts';
import { axisScale, finiteExtent, pad, verticalAxis, widen } from './scale.ts';
import { color } from './theme.ts';

/** A node: a leaf is an extremum, a saddle joins its children, a root is where a part of the landscape is complete. */
export interface TreeNode {
  readonly value: number;
  readonly kind: 'leaf' | 'saddle' | 'root';
  /** Position of the node above it in the list; -1 at the top. */
  readonly parent: number;
}

/** Options of `mergeTreeFigure`. */
export interface MergeTreeOptions extends FigureOptions {
  /** Default `loss`. */
  readonly valueLabel?: string;
  /** What leaves are called; default `minimum`. */
  readonly leafLabel?: string;
}

const HEIGHT = 320;

/** Horizontal places: leaves side by side in the order of the tree, deepest subtree first; a node midway between its outer children. */
function places(nodes: readonly TreeNode[]): Float64Array {
  const children = nodes.map((): number[] => []);
  const tops: number[] = [];
  nodes.forEach(({ parent }, i) => (parent < 0 ? tops : children[parent]).push(i));
  const deepest = new Float64Array(nodes.length);
  const depth = (i: number): number => { deepest[i] = Math.max(0, ...children[i].map((child) => Math.abs(nodes[i].value - nodes[child].value) + depth(child))); return deepest[i]; };
  tops.forEach(depth);
  const at = new Float64Array(nodes.length).fill(NaN);
  let next = 0;
  const place = (i: number): void => {
    const order = [...children[i]].sort((a, b) => (deepest[b] + Math.abs(nodes[b].value - nodes[i].value)) - (deepest[a] + Math.abs(nodes[a].value - nodes[i].value)) || a - b);
    order.forEach(place);
    at[i] = order.length === 0 ? next++ : (at[order[0]] + at[order[order.length - 1]]) / 2;
  };
  tops.forEach(place);
  return at;
}

function requireTree(nodes: readonly TreeNode[]): void {
  requireSome('mergeTreeFigure', 'nodes', nodes);
  nodes.forEach(({ parent, value }, i) => {
    const fits = Number.isInteger(parent) && parent >= -1 && parent < nodes.length && Number.isFinite(value);
    let steps = 0;
    for (let up = i; fits && up >= 0 && steps <= nodes.length; up = nodes[up].parent) steps++;
    if (!fits || steps > nodes.length) throw new ArgumentError({ operation: 'mergeTreeFigure', required: 'nodes must have finite values and parents that lead to a top', received: `value ${value}, parent ${parent} at ${i}` });
  });
}

/**
 * The tree with its values upwards: dots at the extrema, ticks at the saddles, right-angled branches. The horizontal axis has no
 * meaning but order. @throws ArgumentError when the nodes are no tree or a value is not finite.
 */
export function mergeTreeFigure(nodes: readonly TreeNode[], options: MergeTreeOptions = {}): string {
  requireTree(nodes);
  const { valueLabel = 'loss', leafLabel = 'minimum' } = options;
  const width = options.width ?? DEFAULT_WIDTH;
  const x = places(nodes);
  const items = nodes.map((node, i) => ({ ...node, x: x[i], tip: `${node.kind === 'leaf' ? leafLabel : node.kind} at ${formatNumber(node.value)}` }));
  const edges = items.filter(({ parent }) => parent >= 0).map((node) => ({ x: node.x, up: x[node.parent], low: node.value, high: nodes[node.parent].value }));
  const leaves = items.filter(({ kind }) => kind === 'leaf');
  const saddles = items.filter(({ kind }) => kind === 'saddle');
  const scale = axisScale(pad(widen(finiteExtent(items.map(({ value }) => value))!), false), false, 5);
  const legend: LegendItem[] = [{ label: leafLabel, color: color.estimate, shape: 'dot' }];
  if (saddles.length > 0) legend.push({ label: 'saddle', color: color.marker, shape: 'cross' });
  return composeFigure({
    title: options.title ?? 'Merge tree', subtitle: options.subtitle,
    description: options.description ?? `Merge tree with ${leaves.length} leaves and ${saddles.length} saddles, values from ${formatNumber(Math.min(...items.map(({ value }) => value)))} to ${formatNumber(Math.max(...items.map(({ value }) => value)))}.`,
    width, legend,
    rows: [[{
      plot: {
        width, height: HEIGHT, marginLeft: 60, marginRight: 18, marginTop: 34, marginBottom: 14,
        x: { domain: [-0.6, leaves.length - 0.4], axis: null }, y: { ...scale, axis: null },
        marks: [
          ...verticalAxis(scale, valueLabel),
          Plot.ruleX(edges, { x: 'x', y1: 'low', y2: 'high', stroke: color.ink, strokeWidth: 1.5, ariaDescription: 'branches' }),
          Plot.ruleY(edges.filter((edge) => edge.x !== edge.up), { y: 'high', x1: 'x', x2: 'up', stroke: color.ink, strokeWidth: 1.5, ariaDescription: 'joins' }),
          Plot.dot(saddles, { x: 'x', y: 'value', symbol: 'times', r: 4, stroke: color.marker, strokeWidth: 2, title: 'tip', ariaDescription: 'saddles' }),
          Plot.dot(leaves, { x: 'x', y: 'value', r: leaves.length > 60 ? 2 : 4, fill: color.estimate, title: 'tip', ariaDescription: 'leaves' }),
        ],
      },
    }]],
  });
}
