/** What happens while an ensemble trains: probes, replicas that diverge, interruptions. */
import { describe, expect, test } from 'vitest';
import { referenceExecutor } from '../runtime/reference.ts';
import { adam, sgd, type Optimizer } from '../optim/index.ts';
import { expectSame, inFloat64 } from './ensemble.test-helper.ts';
import { distance, gradientNorm, loss, preconditionedSharpness, sharpness, tangentKernel, train, trainEnsemble, type EnsembleEvent, type HyperParameters, type Probe } from './index.ts';
import { mlp, type AnyModel } from '../nn/index.ts';
import { clusters, countedGradient, countedLength } from './training.test-helper.ts';

const problem = inFloat64(clusters(48, mlp({ sizes: [2, 4, 3] }) as AnyModel));
const settings = { steps: 10, batchSize: 12, seed: 1, optimizer: sgd({ momentum: 0.9 }), schedule: 0.1, executor: referenceExecutor };
const TIGHT = 1e-10;

describe('probes', () => {
  test('inside the step and beside it measure each replica as its run does, also what they remember', async () => {
    const probes = (): Probe[] => [gradientNorm({ every: 2 }), distance({ every: 3 }), countedGradient(2), countedLength(5), loss({ every: 4 }), tangentKernel({ every: 5, samples: 6 })];
    const events: EnsembleEvent[] = [];
    const { replicas, costs } = await trainEnsemble(problem, { ...settings, replicas: 3, probes: probes(), onEvent: (event) => events.push(event) });
    for (const [r, replica] of replicas.entries()) expectSame(replica, await train(problem, { ...settings, seed: 1 + r, probes: probes() }), TIGHT);
    const measured = events.filter((event) => event.type === 'measured');
    expect(measured.filter(({ probe, step }) => probe === 'length' && step === 5).map(({ replica }) => replica)).toEqual([0, 1, 2]);
    expect(costs.find(({ name }) => name === 'length')!.count).toBe(9);
  });

  test('the Hessian of all replicas is searched at once', async () => {
    const { replicas } = await trainEnsemble(problem, { ...settings, replicas: 3, probes: [sharpness({ every: 5, tolerance: 1e-7 })] });
    for (const [r, replica] of replicas.entries()) {
      const alone = await train(problem, { ...settings, seed: 1 + r, probes: [sharpness({ every: 5, tolerance: 1e-7 })] });
      expectSame(replica, alone, 1e-6);
    }
  });

  test('that look at the optimizer look at the one of their replica', async () => {
    const probe = (): Probe => preconditionedSharpness({ every: 5, tolerance: 1e-7 });
    const adams = { ...settings, steps: 5, schedule: 0.01 };
    const { replicas } = await trainEnsemble(problem, { ...adams, vary: { epsilon: [1e-8, 0.1] }, optimizer: ({ epsilon }) => adam({ epsilon }), probes: [probe()] });
    for (const [r, replica] of replicas.entries()) expectSame(replica, await train(problem, { ...adams, optimizer: adam({ epsilon: [1e-8, 0.1][r] }), probes: [probe()] }), 1e-6);
    const [first, second] = replicas.map(({ table }) => table.last('preconditioned-sharpness')!.measurement.value);
    expect(Math.abs(first / second - 1)).toBeGreaterThan(0.1);
  });
});

describe('replicas that diverge', () => {
  const steep = { ...settings, optimizer: sgd(), steps: 40 };
  /** Weights decay by a factor that grows without bound at these rates. */
  const decaying = ({ weightDecay }: HyperParameters): Optimizer => sgd({ weightDecay });

  test.each([1, 7])('are frozen where they were well, and the others go on (%i steps a call)', async (stepsPerCall) => {
    const events: EnsembleEvent[] = [];
    const decays = [0, 1e40, 1e12, 0.01];
    const probes = [loss({ every: 10 })];
    const { replicas } = await trainEnsemble(problem, { ...steep, stepsPerCall, probes, vary: { weightDecay: decays }, optimizer: decaying, onEvent: (event) => events.push(event) });
    expect(replicas.map(({ end }) => end.reason)).toEqual(['finished', 'diverged', 'diverged', 'finished']);
    for (const [r, replica] of replicas.entries()) expectSame(replica, await train(problem, { ...steep, stepsPerCall, probes, optimizer: sgd({ weightDecay: decays[r] }) }), 1e-9);
    const told = events.filter((event) => event.type === 'diverged');
    expect(told.map(({ replica }) => replica)).toEqual([1, 2]);
    told.forEach(({ replica, type: _, ...end }) => { expect({ reason: 'diverged', ...end }).toEqual(replicas[replica].end); });
    const steps = events.filter((event) => event.type === 'step');
    expect(steps.at(-1)!.losses.map(Number.isFinite)).toEqual([true, false, false, true]);
  });

  test('all of them: the ensemble ends', async () => {
    const { replicas } = await trainEnsemble(problem, { ...steep, vary: { weightDecay: [1e40, 1e80] }, optimizer: decaying });
    expect(replicas.map(({ end }) => end.reason)).toEqual(['diverged', 'diverged']);
    expect(replicas[0].losses.length).toBeLessThan(40);
    expect(replicas[1].losses.every(Number.isFinite)).toBe(true);
  });
});

test('interrupted, an ensemble keeps what is done', async () => {
  const whole = await trainEnsemble(problem, { ...settings, replicas: 4, replicasAtOnce: 2 });
  const interrupt = new AbortController();
  const { replicas } = await trainEnsemble(problem, {
    ...settings, replicas: 4, replicasAtOnce: 2, stepsPerCall: 2, signal: interrupt.signal,
    onEvent: (event) => { if (event.type === 'step' && event.first === 0 && event.step === 3) interrupt.abort(); },
  });
  expect(replicas.map(({ end, losses }) => [end.reason, losses.length])).toEqual([['interrupted', 4], ['interrupted', 4], ['interrupted', 0], ['interrupted', 0]]);
  replicas[1].losses.forEach((value, step) => { expect(value).toBeCloseTo(whole.replicas[1].losses[step], 12); });
  expect(replicas[3].params).toEqual((await trainEnsemble(problem, { ...settings, seed: 4, replicas: 1, signal: AbortSignal.abort() })).replicas[0].params);
});
