/** Which positions of which axes must move together: unification of labels, one for each position of an axis. @module */

/** A hidden unit of which nothing is known yet but which positions it occupies; bound when it turns out to be something else. */
export class Unit {
  bound: Label | null = null;
}

/**
 * What stands at a position of an axis: `fixed` (it may not move), a unit, or one of several copies of a unit (the
 * positions of a flattened image that belong to one channel).
 */
export type Label = 'fixed' | Unit | UnitCopy;

/** Copy `copy` of a unit; all copies move with it. */
export interface UnitCopy {
  readonly unit: Unit;
  readonly copy: string;
}

/** Labels of all positions of one axis. */
export type AxisLabels = readonly Label[];

export const freshAxis = (extent: number): AxisLabels => Array.from({ length: extent }, () => new Unit());
export const fixedAxis = (extent: number): AxisLabels => Array.from({ length: extent }, () => 'fixed' as const);

/** A label with all bindings followed. */
export function resolve(label: Label): Label {
  let at = label;
  for (;;) {
    if (at === 'fixed') return at;
    if (at instanceof Unit) {
      if (at.bound === null) return at;
      at = at.bound;
      continue;
    }
    const inner = resolve(at.unit);
    if (inner === 'fixed') return inner;
    return inner instanceof Unit ? { unit: inner, copy: at.copy } : { unit: inner.unit, copy: `${inner.copy}/${at.copy}` };
  }
}

/** The copy `copy` of what a label stands for. */
export const copyOf = (label: Label, copy: number): Label => {
  const resolved = resolve(label);
  if (resolved === 'fixed') return resolved;
  return resolved instanceof Unit ? { unit: resolved, copy: String(copy) } : { unit: resolved.unit, copy: `${resolved.copy}/${copy}` };
};

/** Forbids a label to move. */
export function fix(label: Label): void {
  const resolved = resolve(label);
  if (resolved === 'fixed') return;
  (resolved instanceof Unit ? resolved : resolved.unit).bound = 'fixed';
}

/** Makes two labels the same; what cannot be the same is fixed. */
export function unify(first: Label, second: Label): void {
  const a = resolve(first);
  const b = resolve(second);
  if (a === b) return;
  if (a === 'fixed') return fix(b);
  if (b === 'fixed') return fix(a);
  if (a instanceof Unit && b instanceof Unit) a.bound = b;
  else if (a instanceof Unit) bindToCopy(a, b as UnitCopy);
  else if (b instanceof Unit) bindToCopy(b, a);
  else if (a.copy === b.copy) unify(a.unit, b.unit);
  else {
    fix(a);
    fix(b);
  }
}

/** A unit that would be a copy of itself cannot move. */
function bindToCopy(unit: Unit, copy: UnitCopy): void {
  if (copy.unit === unit) fix(unit);
  else unit.bound = copy;
}

/** Unifies two axes position by position. */
export function unifyAxes(a: AxisLabels, b: AxisLabels): void {
  for (let i = 0; i < a.length; i++) unify(a[i], b[i]);
}

export const fixAxis = (axis: AxisLabels): void => axis.forEach(fix);
