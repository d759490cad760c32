/** Numbers as text: one rule for measurements, plain numbers, axis ticks and durations. @module */

const SUPERSCRIPTS: Readonly<Record<string, string>> = {
  '-': '⁻', 0: '⁰', 1: '¹', 2: '²', 3: '³', 4: '⁴', 5: '⁵', 6: '⁶', 7: '⁷', 8: '⁸', 9: '⁹',
};
/** Beyond this many significant digits value and error are written apart: a float64 holds fewer than 16. */
const MAXIMUM_DIGITS = 10;

const powerOfTen = (exponent: number): string => `10${[...String(exponent)].map((c) => SUPERSCRIPTS[c]).join('')}`;
/** Decimal exponent of a positive number, by its printed form: log10 is off by one at some powers of ten. */
const decimalExponent = (value: number): number => Number(Math.abs(value).toExponential().split('e')[1]);
const typeset = (digits: string): string => (Number(digits) === 0 ? digits.replace('-', '') : digits.replace('-', '−'));
const timesPowerOfTen = (mantissa: number, exponent: number): string =>
  (Math.abs(mantissa) === 1 ? `${mantissa < 0 ? '−' : ''}${powerOfTen(exponent)}` : `${typeset(String(mantissa))}×${powerOfTen(exponent)}`);
const needsExponent = (magnitude: number): boolean => magnitude >= 6 || magnitude < -3;

function nonFinite(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '∞' : '−∞';
}

/** A number without a known error: at most `digits` significant digits, trailing zeros dropped; integers below 10⁶ whole. */
export function formatNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  if (value === 0) return '0';
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return typeset(String(value));
  const [mantissa, power] = value.toExponential(digits - 1).split('e');
  if (!needsExponent(Number(power))) return typeset(String(Number(`${mantissa}e${power}`)));
  return timesPowerOfTen(Number(mantissa), Number(power));
}

/** The decimal place to which an error is rounded. */
function lastPlace(error: number): number {
  const exponent = decimalExponent(error);
  const leading = Math.round((error / 10 ** exponent) * 100);
  return leading < 355 ? exponent - 1 : exponent;
}

function roundTo(value: number, place: number, exponent: number): string {
  const rounded = place > 0 ? Math.round(value / 10 ** place) * 10 ** place : value;
  return typeset((rounded / 10 ** exponent).toFixed(Math.max(0, exponent - place)));
}

/**
 * `12.34 ± 0.05`: a value with as many digits as its error supports.
 *
 * The error keeps two digits when its leading three lie in 100..354 and one otherwise, two again from 950 on
 * (where it rounds up to 1.0): the rule of the Particle Data Group's *Review of Particle Physics*, section 5.3.
 * Large and small pairs share one power of ten: `(1.234 ± 0.005)×10⁻⁷`. Without an error it is `formatNumber(value)`;
 * an error that is NaN or negative is written `?`, an infinite one `∞`, and a non-finite value stands alone.
 */
export function formatMeasurement(value: number, error?: number): string {
  if (!Number.isFinite(value) || error === undefined) return formatNumber(value);
  if (!(error >= 0)) return `${formatNumber(value)} ± ?`;
  if (error === Infinity) return `${formatNumber(value)} ± ∞`;
  if (error === 0) return `${formatNumber(value, 6)} ± 0`;
  const place = lastPlace(error);
  const magnitude = decimalExponent(Math.max(Math.abs(value), error));
  if (magnitude - place >= MAXIMUM_DIGITS) return `${formatNumber(value, MAXIMUM_DIGITS)} ± ${formatNumber(error, 1)}`;
  const exponent = needsExponent(magnitude) ? magnitude : 0;
  const pair = `${roundTo(value, place, exponent)} ± ${roundTo(error, place, exponent)}`;
  return exponent === 0 ? pair : `(${pair})×${powerOfTen(exponent)}`;
}

/** An axis tick: plain between 10⁻³ and 10⁵, a power of ten beyond. */
export function formatTick(value: number): string {
  const magnitude = value === 0 ? 0 : decimalExponent(value);
  if (magnitude < -3 || magnitude >= 5) {
    return timesPowerOfTen(Number((value / 10 ** magnitude).toPrecision(3)), magnitude);
  }
  return typeset(String(Number(value.toPrecision(6))));
}

/** A power of ten as such, `10⁻²`, for axes of many decades; 1 stays 1. */
export const formatDecade = (value: number): string => (value === 1 ? '1' : powerOfTen(decimalExponent(value)));

/** A duration in seconds as `340 ms`, `12.3 s` or `2 min 5 s`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return `${nonFinite(seconds)} s`;
  if (seconds < 0.9995) return `${formatNumber(seconds * 1000, 3)} ms`;
  if (seconds < 99.95) return `${formatNumber(seconds, 3)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
