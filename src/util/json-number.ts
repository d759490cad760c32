/** Numbers as JSON can hold them. @module */

/** Those that are not finite are texts. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';
/** A number for JSON. */
export const toJsonNumber = (value: number): JsonNumber => (Number.isFinite(value) ? value : (String(value) as JsonNumber));
/** Its inverse. */
export const fromJsonNumber = (value: JsonNumber): number => Number(value);
