/** What the page hands to the viewer of a surface, as JSON. @module */

/** One quantity on the grid; null where it is not finite. */
export interface SurfaceGrid {
  readonly name: string;
  /** loss[row][column] at (x[column], y[row]). */
  readonly loss: readonly (readonly (number | null)[])[];
  readonly errors?: readonly (readonly (number | null)[])[];
}

/** A plane with one or more quantities on it. */
export interface SurfaceData {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly grids: readonly SurfaceGrid[];
  /** From the lowest to the highest value. */
  readonly colors: readonly string[];
  readonly logarithmic: boolean;
  /** Significant digits of readings. */
  readonly digits: number;
  readonly center: { readonly x: number; readonly y: number };
}
