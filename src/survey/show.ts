/** Measurements as text. @module */
import { formatMeasurement } from '../charts/index.ts';
import type { Measurement } from '../problem/index.ts';

/** Value and error. */
export const show = ({ value, error }: Measurement): string => formatMeasurement(value, error);
/** A fraction in per cent. */
export const percent = ({ value, error }: Measurement): string => `${formatMeasurement(100 * value, 100 * error)} %`;
