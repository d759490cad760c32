import { describe, expect, test } from 'vitest';
import { preconditionerAfter, rounded, trace } from './half-square.test-helper.ts';
import { lamb } from './lamb.ts';

describe('lamb', () => {
  // Adam's first direction is the sign, of length sqrt(2); |p| = 5: ratio 5 / sqrt(2).
  const ratio = 5 / Math.sqrt(2);
  const first = [3 - 0.1 * ratio, 4 - 0.1 * ratio];
  test('two steps by hand', async () => {
    const adam = first.map((w, i) => ((([3, 4][i]) / 4 + w / 2) / 0.75) / Math.sqrt(([3, 4][i] ** 2 / 4 + w * w / 2) / 0.75));
    const next = Math.hypot(...first) / Math.hypot(...adam);
    const second = first.map((w, i) => w - 0.1 * next * adam[i]);
    expect((await trace(lamb({ beta1: 0.5, beta2: 0.5, epsilon: 0 }), [3, 4])).map(rounded)).toEqual([first, second].map(rounded));
  });
  // u = 1 + 0.5 * p
  test('the length is that of the direction with its decay', async () => {
    const u = [2.5, 3];
    const scale = 5 / Math.hypot(...u);
    expect(rounded((await trace(lamb({ epsilon: 0, weightDecay: 0.5 }), [3, 4]))[0])).toEqual(rounded([3 - 0.1 * scale * u[0], 4 - 0.1 * scale * u[1]]));
  });
  test('the preconditioner is divided by the ratio', async () => {
    expect(rounded(await preconditionerAfter(lamb({ beta1: 0.5, beta2: 0.5, epsilon: 0 }), [3, 4], { steps: 1 }))).toEqual(rounded([0.5 * 3 / ratio, 0.5 * 4 / ratio]));
  });
  test('a layer of zeros stays a number', async () => { expect(rounded((await trace(lamb(), [0, 0]))[1])).toEqual([0, 0]); });
});
