/** The permutation symmetries of a model, read from its traced function. @module */
import { Graph, dependents } from '../../core/graph.ts';
import { placeholder, type Tensor } from '../../core/tensor.ts';
import type { NDArray } from '../../core/ndarray.ts';
import type { AnyModel } from '../../nn/index.ts';
import { leaves, unflatten } from '../../tree/index.ts';
import type { Point } from '../../problem/index.ts';
import { fixAxis, resolve, Unit, type AxisLabels, type UnitCopy } from './axis-labels.ts';
import { fixedTensor, freshTensor, labelGraph, type Labelling } from './axis-rules.ts';
import { leavesOf, type PermutationGroup, type PermutationSpec, type PermutedAxis } from './permutation-spec.ts';

/** A model's evaluation as a graph, with the tensors of its leaves. */
export interface TracedModel {
  readonly graph: Graph;
  /** Inputs of the graph that are parameters or batch statistics, by path. */
  readonly leaves: readonly { readonly path: string; readonly tensor: Tensor }[];
  readonly data: Tensor;
}

/** Traces the model in evaluation mode on inputs like `inputs` [batch, ...]. */
export function traceModel(model: AnyModel, point: Point<unknown, unknown>, inputs: Pick<NDArray, 'shape' | 'dtype'>): TracedModel {
  const entries = leavesOf(point).map(({ path, value }) => ({ path, tensor: placeholder(value, path) }));
  const data = placeholder(inputs, 'inputs');
  const tensors = entries.map(({ tensor }) => tensor);
  const count = leaves(point.params).length;
  const { outputs } = model.apply(unflatten(point.params, tensors.slice(0, count)), data, { mode: 'eval', state: unflatten(point.state, tensors.slice(count)) as never });
  return { graph: new Graph([...tensors, data], [outputs]), leaves: entries, data };
}

/** A value inside the model whose axis holds a group's units: what activation matching compares. */
export interface GroupProbe {
  readonly tensor: Tensor;
  readonly axis: number;
  readonly positions: Int32Array;
  readonly copies: number;
}

/** A spec with, for each group, the inner values that read it. */
export interface DerivedPermutations {
  readonly spec: PermutationSpec;
  readonly traced: TracedModel;
  /** For each group the data-dependent operands of products and convolutions along its units. */
  readonly probes: readonly (readonly GroupProbe[])[];
}

/**
 * The permutation symmetries of a model's hidden units, for any model: every position of every axis is a unit at first;
 * each operation of the traced function says which of them are one (elementwise operations position by position, products
 * along their contracted axes, a flattened image as copies of its channels, ...); positions of data, of outputs and along axes
 * whose order matters are fixed. Units that occur along the same axes everywhere form a group. Operations not known to be
 * symmetric fix what they touch, so that a spec may miss a symmetry (heads of attention) but names none that is not there.
 * `inputs` gives shape and type of a batch; the number of examples does not matter.
 */
export function derivePermutations(model: AnyModel, point: Point<unknown, unknown>, inputs: Pick<NDArray, 'shape' | 'dtype'>): DerivedPermutations {
  const traced = traceModel(model, point, inputs);
  const labelling = labelled(traced);
  const families = unitFamilies(labelling);
  const axesOf = (labels: AxisLabels): Map<Unit[], { positions: Int32Array; copies: number }> => placesOf(labels, families.familyOf);
  const groups = new Map<Unit[], PermutedAxis[]>();
  for (const { path, tensor } of traced.leaves) {
    labelling.of.get(tensor)!.forEach((labels, axis) => axesOf(labels).forEach((place, family) => {
      groups.set(family, [...(groups.get(family) ?? []), { leaf: path, axis, ...place }]);
    }));
  }
  // One unit has nothing to be exchanged with; units along a single axis are not between two layers.
  const kept = [...groups].filter(([family, axes]) => family.length > 1 && axes.length > 1);
  const spec = { groups: kept.map(([{ length }, axes]): PermutationGroup => ({ name: `${axes[0].leaf} axis ${axes[0].axis}`, size: length, axes })) };
  return { spec, traced, probes: kept.map(([family]) => probesOf(traced, labelling, family, axesOf)) };
}

/** The permutation symmetries of a model's hidden units: `derivePermutations` without the graph. */
export const permutationSymmetries = (model: AnyModel, point: Point<unknown, unknown>, inputs: Pick<NDArray, 'shape' | 'dtype'>): PermutationSpec =>
  derivePermutations(model, point, inputs).spec;

function labelled({ graph, leaves: entries, data }: TracedModel): Labelling {
  const of: Labelling['of'] = new Map();
  for (const { tensor } of entries) of.set(tensor, freshTensor(tensor));
  of.set(data, fixedTensor(data));
  const labelling: Labelling = { of, all: [...of.values()] };
  labelGraph(graph, labelling);
  graph.outputs.forEach((output) => of.get(output)?.forEach(fixAxis));
  // A unit that occurs twice along one axis, and not as copies, has places that no order tells apart.
  for (const labels of labelling.all.flat()) fixRepeated(labels);
  return labelling;
}

function fixRepeated(labels: AxisLabels): void {
  const seen = new Map<Unit, Set<string>>();
  for (const label of labels) {
    const resolved = resolve(label);
    if (resolved === 'fixed') continue;
    const [unit, copy] = parts(resolved);
    const copies = seen.get(unit) ?? new Set();
    if (copies.has(copy)) unit.bound = 'fixed';
    copies.add(copy);
    seen.set(unit, copies);
  }
}

const parts = (label: Unit | UnitCopy): readonly [Unit, string] => (label instanceof Unit ? [label, ''] : [label.unit, label.copy]);

/** Units by where they occur: the list of all axes, and the copies there. */
function unitFamilies({ all }: Labelling): { familyOf: (unit: Unit) => Unit[] | undefined } {
  const signatures = new Map<Unit, number>();
  const interned = new Map<string, number>();
  all.flat().forEach((labels, axis) => {
    const here = new Map<Unit, string[]>();
    for (const label of labels) {
      const resolved = resolve(label);
      if (resolved === 'fixed') continue;
      const [unit, copy] = parts(resolved);
      here.set(unit, [...(here.get(unit) ?? []), copy]);
    }
    here.forEach((copies, unit) => {
      const key = `${signatures.get(unit) ?? ''}|${axis}|${copies.sort().join()}`;
      if (!interned.has(key)) interned.set(key, interned.size);
      signatures.set(unit, interned.get(key)!);
    });
  });
  const families = new Map<number, Unit[]>();
  signatures.forEach((signature, unit) => families.set(signature, [...(families.get(signature) ?? []), unit]));
  return { familyOf: (unit) => families.get(signatures.get(unit)!) };
}

/** Where each family's units lie along an axis. */
function placesOf(labels: AxisLabels, familyOf: (unit: Unit) => Unit[] | undefined): Map<Unit[], { positions: Int32Array; copies: number }> {
  const places = new Map<Unit[], Map<Unit, [copy: string, position: number][]>>();
  labels.forEach((label, position) => {
    const resolved = resolve(label);
    if (resolved === 'fixed') return;
    const [unit, copy] = parts(resolved);
    const family = familyOf(unit);
    if (family === undefined) return;
    const units = places.get(family) ?? new Map<Unit, [string, number][]>();
    units.set(unit, [...(units.get(unit) ?? []), [copy, position]]);
    places.set(family, units);
  });
  return new Map([...places].map(([family, units]) => {
    // All units of a family have the same copies, so that sorting them pairs them.
    const rows = family.map((unit) => units.get(unit)!.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, position]) => position));
    return [family, { positions: Int32Array.from(rows.flat()), copies: rows[0].length }];
  }));
}

/** Operands of products and convolutions that depend on the data and are summed over the family's units. */
function probesOf({ graph, data }: TracedModel, labelling: Labelling, family: Unit[], axesOf: (labels: AxisLabels) => Map<Unit[], { positions: Int32Array; copies: number }>): GroupProbe[] {
  const { depends } = dependents([data], graph.outputs);
  const probes = new Map<Tensor, GroupProbe>();
  for (const node of graph.nodes) {
    if (node.primitive.name !== 'dot' && node.primitive.name !== 'conv') continue;
    const contracted = node.primitive.name === 'conv' ? [[1], [1]] : (node.params as { contract: readonly (readonly number[])[] }).contract;
    node.inputs.forEach((tensor, side) => {
      for (const axis of depends(tensor) ? contracted[side] : []) {
        const place = axesOf(labelling.of.get(tensor)![axis]).get(family);
        if (place !== undefined && !probes.has(tensor)) probes.set(tensor, { tensor, axis, ...place });
      }
    });
  }
  return [...probes.values()];
}
