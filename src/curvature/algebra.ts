/** Sums, multiples, products, transposes and shifts of linear maps: each a map again, multiplied in blocks of vectors. @module */
import type { ParameterSpace } from '../problem/index.ts';
import { ArgumentError, ShapeError } from '../util/errors.ts';
import { requireInteger, requireNumber } from '../util/require.ts';
import { addScaled, scaleBy } from './basis.ts';
import { linearMap, linearOperator, type BlockProduct, type LinearMap, type LinearOperator } from './operator.ts';

// A combination does not own its parts: they may be parts of others too. Disposing it leaves them alone.

/** True for maps that are operators: square, with a statement of symmetry. */
export const isOperator = (map: LinearMap): map is LinearOperator => 'size' in map;

/** float32 when any part is. */
export const commonPrecision = (parts: readonly LinearMap[]): 'float32' | 'float64' => (parts.some(({ precision }) => precision === 'float32') ? 'float32' : 'float64');

/** The widest block of the parts: each cuts what it is given into blocks of its own. */
export const commonBlock = (parts: readonly LinearMap[]): number => Math.max(...parts.map(({ block }) => block));

/** The space of all parts when they name the same parameters in one order. */
function commonSpace(parts: readonly LinearMap[]): { space?: ParameterSpace } {
  const [first, ...rest] = parts.map(({ space }) => space);
  return first !== undefined && rest.every((space) => space !== undefined && sameNames(space, first)) ? { space: first } : {};
}

const sameNames = (a: ParameterSpace, b: ParameterSpace): boolean =>
  a === b || (a.ranges.length === b.ranges.length && a.ranges.every(({ name, size }, i) => name === b.ranges[i].name && size === b.ranges[i].size));

const spaceOf = ({ space }: LinearMap): { space?: ParameterSpace } => (space === undefined ? {} : { space });

/** An operator when `symmetric` says whether it is its own transpose, a map otherwise. */
interface CombinationParts {
  readonly name: string;
  readonly parts: readonly LinearMap[];
  readonly rows: number;
  readonly columns: number;
  /** Given for operators. */
  readonly symmetric?: boolean | undefined;
  readonly space?: ParameterSpace;
  readonly apply: BlockProduct;
  readonly applyTransposed: BlockProduct;
}

function combination({ parts, rows, columns, symmetric, ...rest }: CombinationParts): LinearMap {
  const common = { ...rest, precision: commonPrecision(parts), block: commonBlock(parts) };
  return symmetric === undefined ? linearMap({ ...common, rows, columns }) : linearOperator({ ...common, size: rows, symmetric });
}

/**
 * A_1 + A_2 + ...: a product with each part. Symmetric when all parts are.
 * @throws ShapeError when their sizes differ; ArgumentError when there are none.
 */
export function sumOf(operators: readonly LinearOperator[], name?: string): LinearOperator;
export function sumOf(maps: readonly LinearMap[], name?: string): LinearMap;
export function sumOf(maps: readonly LinearMap[], name = maps.map((map) => map.name).join(' + ')): LinearMap {
  requireParts('sumOf', maps);
  const [{ rows, columns }] = maps;
  const odd = maps.find((map) => map.rows !== rows || map.columns !== columns);
  if (odd) throw new ShapeError({ operation: 'sumOf', required: `all parts must be ${rows} x ${columns}`, received: `'${odd.name}' of ${odd.rows} x ${odd.columns}` });
  const total = (of: (map: LinearMap) => BlockProduct): BlockProduct => async (vectors) => {
    const out = (await of(maps[0])(vectors)).map((image) => image.slice());
    for (const map of maps.slice(1)) (await of(map)(vectors)).forEach((image, i) => addScaled(out[i], 1, image));
    return out;
  };
  return combination({
    name, parts: maps, rows, columns, ...(maps.every(isOperator) && { symmetric: maps.every(({ symmetric }) => symmetric) }), ...commonSpace(maps),
    apply: total((map) => map.multiply), applyTransposed: total((map) => map.multiplyTransposed),
  });
}

/** factor A. */
export function scaled(operator: LinearOperator, factor: number): LinearOperator;
export function scaled(map: LinearMap, factor: number): LinearMap;
export function scaled(map: LinearMap, factor: number): LinearMap {
  requireNumber('scaled', 'factor', factor);
  const times = (product: BlockProduct): BlockProduct => async (vectors) => (await product(vectors)).map((image) => image.map((x) => factor * x));
  return combination({
    name: `${factor} (${map.name})`, parts: [map], rows: map.rows, columns: map.columns, symmetric: symmetryOf(map), ...spaceOf(map),
    apply: times(map.multiply), applyTransposed: times(map.multiplyTransposed),
  });
}

/** A + shift I: damping. One product a vector. */
export function shifted(operator: LinearOperator, shift: number): LinearOperator {
  requireNumber('shifted', 'shift', shift);
  const add = (product: BlockProduct): BlockProduct => async (vectors) => (await product(vectors)).map((image, i) => {
    const out = image.slice();
    addScaled(out, shift, vectors[i]);
    return out;
  });
  return combination({
    name: `${operator.name} + ${shift} I`, parts: [operator], rows: operator.size, columns: operator.size, symmetric: operator.symmetric, ...spaceOf(operator),
    apply: add(operator.multiply), applyTransposed: add(operator.multiplyTransposed),
  }) as LinearOperator;
}

/** How a product of maps is named, and whether it is known to be symmetric. */
export interface ProductOptions {
  readonly name?: string;
  /** Default: true when the factors are symmetric and read the same from both ends (A, A B A). */
  readonly symmetric?: boolean;
}

/**
 * A_1 A_2 ... A_n, the last applied first. Of operators only, or with `symmetric` given, it is an operator.
 * @throws ShapeError when neighbours do not fit, or `symmetric` is given of a product that is not square.
 */
export function productOf(operators: readonly LinearOperator[], options?: ProductOptions): LinearOperator;
export function productOf(maps: readonly LinearMap[], options: ProductOptions & { readonly symmetric: boolean }): LinearOperator;
export function productOf(maps: readonly LinearMap[], options?: ProductOptions): LinearMap;
export function productOf(maps: readonly LinearMap[], { name = maps.map((map) => map.name).join(' * '), symmetric }: ProductOptions = {}): LinearMap {
  requireParts('productOf', maps);
  maps.slice(1).forEach((map, i) => {
    if (maps[i].columns !== map.rows) throw new ShapeError({ operation: 'productOf', required: `'${map.name}' must have as many rows as '${maps[i].name}' has columns, ${maps[i].columns}`, received: String(map.rows) });
  });
  const [rows, columns] = [maps[0].rows, maps.at(-1)!.columns];
  if (symmetric !== undefined && rows !== columns) throw new ShapeError({ operation: 'productOf', required: 'a product with `symmetric` given must be square', received: `${rows} x ${columns}` });
  const palindrome = maps.every((map, i) => map === maps[maps.length - 1 - i] && isOperator(map) && map.symmetric);
  return combination({
    name, parts: maps, rows, columns, symmetric: symmetric ?? (maps.every(isOperator) ? palindrome : undefined), ...commonSpace([maps[0], maps.at(-1)!]),
    async apply(vectors) {
      let images = [...vectors];
      for (const map of [...maps].reverse()) images = await map.multiply(images);
      return images;
    },
    async applyTransposed(vectors) {
      let images = [...vectors];
      for (const map of maps) images = await map.multiplyTransposed(images);
      return images;
    },
  });
}

/** The transpose (the adjoint) A'. Transposing twice gives a map with the products of the first. */
export function transposed(operator: LinearOperator): LinearOperator;
export function transposed(map: LinearMap): LinearMap;
export function transposed(map: LinearMap): LinearMap {
  if (symmetryOf(map) === true) return map;
  return combination({
    name: `transpose of ${map.name}`, parts: [map], rows: map.columns, columns: map.rows, symmetric: symmetryOf(map), ...(isOperator(map) && spaceOf(map)),
    apply: map.multiplyTransposed, applyTransposed: map.multiply,
  });
}

/** A' A, symmetric and positive semidefinite, on the columns of A: two products a vector. `gram(transposed(A))` is A A'. */
export const gram = (map: LinearMap): LinearOperator => linearOperator({
  name: `gram of ${map.name}`, size: map.columns, precision: map.precision, block: map.block, ...spaceOf(map),
  apply: async (vectors) => map.multiplyTransposed(await map.multiply(vectors)),
});

/** (A + A') / 2, for operators that are symmetric only up to rounding or not at all. Two products a vector. */
export const symmetricPart = (operator: LinearOperator): LinearOperator => (operator.symmetric ? operator : linearOperator({
  name: `symmetric part of ${operator.name}`, size: operator.size, precision: operator.precision, block: operator.block, ...spaceOf(operator),
  async apply(vectors) {
    const images = (await operator.multiply(vectors)).map((image) => image.slice());
    (await operator.multiplyTransposed(vectors)).forEach((image, i) => {
      addScaled(images[i], 1, image);
      scaleBy(images[i], 0.5);
    });
    return images;
  },
}));

/** I, of a size. */
export const identityOperator = (size: number, name = 'identity'): LinearOperator =>
  linearOperator({ name, size: requireInteger('identityOperator', 'size', size, 1), block: 8, apply: (vectors) => vectors.map((vector) => vector.slice()) });

const symmetryOf = (map: LinearMap): boolean | undefined => (isOperator(map) ? map.symmetric : undefined);

function requireParts(operation: string, parts: readonly LinearMap[]): void {
  if (parts.length === 0) throw new ArgumentError({ operation, required: 'at least one part must be given', received: 'none' });
}
