/** Models made of layers: by name, in sequence, or along a forward function of one's own. @module */
import { ArgumentError } from '../util/errors.ts';
import { NDArray } from '../core/ndarray.ts';
import { placeholder, type Tensor } from '../core/tensor.ts';
import { add } from '../ops/index.ts';
import { leaves } from '../tree/tree.ts';
import { split, uniform, type Key } from '../util/random/index.ts';
import type { AnyLayer, AnyModel, Empty, Layer, ParametersOf, StateOf } from './model.ts';

/** What `named` and `sequential` chain: layers, and plain functions, which have no parameters and no place in their tree. */
export type Step = AnyLayer | ((x: Tensor) => Tensor);
/** What `named` chains, in the order of the keys; the keys of layers become names in the tree of parameters. */
export type NamedSteps = Readonly<Record<string, Step>>;
/** Layers by the names that their parameters take in the tree. */
export type NamedLayers = Readonly<Record<string, AnyLayer>>;

type Flat<T> = { [K in keyof T]: T[K] };
type LayerKeys<L> = { [K in keyof L]: L[K] extends AnyLayer ? K : never }[keyof L];
type StatefulKeys<L> = { [K in keyof L]: L[K] extends AnyLayer ? ([StateOf<L[K]>] extends [Empty] ? never : K) : never }[keyof L];
/** Parameters of layers by name; functions have none. */
export type NamedParameters<L> = Flat<{ -readonly [K in keyof L as K extends LayerKeys<L> ? K : never]: L[K] extends AnyLayer ? ParametersOf<L[K]> : never }>;
/** State of layers by name, those without left out. */
export type NamedState<L> = [StatefulKeys<L>] extends [never] ? Empty
  : Flat<{ -readonly [K in keyof L as K extends StatefulKeys<L> ? K : never]: L[K] extends AnyLayer ? StateOf<L[K]> : never }>;

type LayersIn<S extends readonly Step[]> = S extends readonly [infer First, ...infer Rest extends readonly Step[]]
  ? (First extends AnyLayer ? [First, ...LayersIn<Rest>] : LayersIn<Rest>)
  : number extends S['length'] ? Extract<S[number], AnyLayer>[] : [];
// Mapped over a type parameter, so that tuples stay tuples.
type EachParameters<L extends readonly unknown[]> = { -readonly [I in keyof L]: L[I] extends AnyLayer ? ParametersOf<L[I]> : never };
type EachState<L extends readonly unknown[]> = { -readonly [I in keyof L]: L[I] extends AnyLayer ? StateOf<L[I]> : never };
/** Parameters of layers in sequence: a tuple for a fixed list, else an array. */
export type SequentialParameters<S extends readonly Step[]> = EachParameters<LayersIn<S>>;
/** State of layers in sequence; the empty tree when none has any. */
export type SequentialState<S extends readonly Step[]> = [EachState<LayersIn<S>>[number]] extends [Empty] ? Empty : EachState<LayersIn<S>>;

/** Applies a child to a value, inside the forward function of a composite. */
type Call<K> = (child: K, x: Tensor) => Tensor;
type Branch = Record<string | number, unknown>;

interface Composition {
  readonly name: string;
  readonly children: ReadonlyMap<string | number, AnyLayer>;
  /** Whether trees are arrays, indexed by the children's places. */
  readonly isArray: boolean;
  forward(call: Call<string | number>, inputs: Tensor): Tensor;
}

const childOf = ({ name, children }: Composition, key: string | number): AnyLayer => {
  const child = children.get(key);
  if (child !== undefined) return child;
  throw new ArgumentError({ operation: name, required: `the forward function must call one of ${[...children.keys()].join(', ')}`, received: String(key) });
};

/** The forward function on shapes alone: what it returns, and the noise its children ask for on the way. */
function dryRun(composition: Composition, inputShape: readonly number[]): { shape: readonly number[]; noise: (readonly number[])[] } {
  const noise: (readonly number[])[] = [];
  const outputs = composition.forward((key, x) => {
    const child = childOf(composition, key);
    noise.push(...(child.noise?.(x.shape) ?? []));
    return placeholder({ shape: child.outputShape(x.shape), dtype: 'float32' });
  }, placeholder({ shape: inputShape, dtype: 'float32' }));
  return { shape: outputs.shape, noise };
}

function compose(composition: Composition): AnyLayer {
  const { name, children, isArray, forward } = composition;
  const tree = (entries: readonly (readonly [string | number, unknown])[]): unknown => (isArray ? entries.map(([, value]) => value) : Object.fromEntries(entries));
  return {
    name,
    init(key) {
      const made = [...children].map(([place, layer]) => [place, layer.init(split(key, place))] as const);
      const states = made.filter(([, { state }]) => isArray || leaves(state).length > 0).map(([place, { state }]) => [place, state] as const);
      // Arrays keep the places of layers without state, unless none has any.
      return { params: tree(made.map(([place, { params }]) => [place, params])), state: leaves(states.map(([, state]) => state)).length === 0 ? {} : tree(states) };
    },
    apply(params, inputs, context) {
      const given = context.state as Branch;
      const states = new Map<string | number, unknown>(Object.keys(given).map((place) => [isArray ? Number(place) : place, given[place]]));
      let used = 0;
      const call: Call<string | number> = (place, x) => {
        const child = childOf(composition, place);
        const count = context.mode === 'train' ? (child.noise?.(x.shape).length ?? 0) : 0;
        const noise = context.noise?.slice(used, used + count);
        used += count;
        const { outputs, state } = child.apply((params as Branch)[place], x, { mode: context.mode, state: states.get(place) ?? {}, noise });
        if (states.has(place)) states.set(place, state);
        return outputs;
      };
      const outputs = forward(call, inputs);
      return { outputs, state: states.size === 0 ? given : tree([...states]) };
    },
    noise: (inputShape) => dryRun(composition, inputShape).noise,
    outputShape: (inputShape) => dryRun(composition, inputShape).shape,
  };
}

const isLayer = (step: Step): step is AnyLayer => typeof step !== 'function';

/** The children among the steps, and the function that runs all steps in order. */
function chain(steps: readonly (readonly [string | number, Step])[]): Pick<Composition, 'children' | 'forward'> {
  return {
    children: new Map(steps.filter((entry): entry is readonly [string | number, AnyLayer] => isLayer(entry[1]))),
    forward: (call, inputs) => steps.reduce((x, [key, step]) => (isLayer(step) ? call(key, x) : step(x)), inputs),
  };
}

/** Applies the steps in the order of their keys; each layer's parameters stand under its key. */
export function named<const L extends NamedSteps>(steps: L, name = 'named'): Layer<NamedParameters<L>, NamedState<L>> {
  return compose({ name, isArray: false, ...chain(Object.entries(steps)) }) as Layer<NamedParameters<L>, NamedState<L>>;
}

/** Applies the steps in order; layers are numbered 0, 1, ..., functions take no number. */
export function sequential<const S extends readonly Step[]>(...steps: S): Layer<SequentialParameters<S>, SequentialState<S>> {
  let next = 0;
  const places = steps.map((step) => [isLayer(step) ? next++ : -1, step] as const);
  return compose({ name: 'sequential', isArray: true, ...chain(places) }) as Layer<SequentialParameters<S>, SequentialState<S>>;
}

/**
 * Layers by name, combined by a forward function: `assemble('block', { norm, mix }, (call, x) => add(x, call('mix',
 * call('norm', x))))`. The function is also run on shapes alone, so it may not depend on values.
 */
export function assemble<const L extends NamedLayers>(name: string, layers: L, forward: (call: Call<keyof L & string>, inputs: Tensor) => Tensor): Layer<NamedParameters<L>, NamedState<L>> {
  return compose({ name, isArray: false, children: new Map(Object.entries(layers)), forward: forward as Composition['forward'] }) as Layer<NamedParameters<L>, NamedState<L>>;
}

/** body(x) + shortcut(x), by default body(x) + x; parameters are those of the body (He et al. 2015). */
export function residual<P, State>(body: Layer<P, State>, shortcut: (x: Tensor) => Tensor = (x) => x): Layer<P, State> {
  return {
    ...body,
    name: `residual ${body.name}`,
    apply(params, inputs, context) {
      const { outputs, state } = body.apply(params, inputs, context);
      return { outputs: add(outputs, shortcut(inputs)), state };
    },
  };
}

/** The random numbers that a model's train mode reads for a batch of this input shape: uniform draws, one array a request. */
export function drawNoise(model: Pick<AnyModel, 'noise'>, inputShape: readonly number[], key: Key): NDArray[] {
  return (model.noise?.(inputShape) ?? []).map((shape, i) => new NDArray(uniform(split(key, 'noise', i), shape), shape, 'float32'));
}
