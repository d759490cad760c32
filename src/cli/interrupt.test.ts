import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { interruptible, type SignalSource } from './interrupt.ts';

function fakeProcess() {
  const emitter = new EventEmitter();
  const written: string[] = [];
  const exits: number[] = [];
  const source: SignalSource = {
    on: (signal, listener) => emitter.on(signal, listener), off: (signal, listener) => emitter.off(signal, listener),
    exit: (code) => { exits.push(code); }, stderr: { write: (text) => written.push(text) },
  };
  return { source, written, exits, press: () => emitter.emit('SIGINT'), listeners: () => emitter.listenerCount('SIGINT') };
}

describe('Ctrl-C', () => {
  test('once asks to finish and says so', async () => {
    const { source, written, exits, press } = fakeProcess();
    const result = await interruptible(source, async (signal) => {
      expect(signal.aborted).toBe(false);
      press();
      return Promise.resolve(signal.aborted);
    });
    expect(result).toBe(true);
    expect(written.join('')).toContain('interrupted: finishing what is at hand');
    expect(exits).toEqual([]);
  });

  test('twice quits with code 130', async () => {
    const { source, written, exits, press } = fakeProcess();
    await interruptible(source, () => { press(); press(); return Promise.resolve(); });
    expect(exits).toEqual([130]);
    expect(written).toHaveLength(1);
  });

  test('is let go of when the work ends, also by an error', async () => {
    const { source, listeners } = fakeProcess();
    await interruptible(source, () => { expect(listeners()).toBe(1); return Promise.resolve(); });
    await expect(interruptible(source, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(listeners()).toBe(0);
  });
});
