/** Unicode sparklines for the terminal. @module */
import type { NumberList } from './figure.ts';
import { finiteExtent } from './scale.ts';

const BLOCKS = '▁▂▃▄▅▆▇█';

/**
 * A line of block characters, lowest to highest over the finite values; `·` where a value is not finite.
 * Longer series are averaged down to `width` characters (40 by default); a constant one is drawn at mid-height.
 */
export function sparkline(values: NumberList, width = 40): string {
  const count = Math.min(values.length, width);
  const means = Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * values.length) / count);
    const end = Math.floor(((i + 1) * values.length) / count);
    let sum = 0;
    for (let j = start; j < end; j++) sum += values[j];
    return sum / (end - start);
  });
  const extent = finiteExtent(means);
  if (extent === undefined) return '·'.repeat(count);
  const [low, high] = extent;
  return means.map((mean) => {
    if (!Number.isFinite(mean)) return '·';
    return high > low ? BLOCKS[Math.round(((mean - low) / (high - low)) * (BLOCKS.length - 1))] : BLOCKS[3];
  }).join('');
}
