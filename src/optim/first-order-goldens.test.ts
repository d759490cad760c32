/** Ten steps of the first-order methods against optax and PyTorch. */
import { describe } from 'vitest';
import { adabelief } from './adabelief.ts';
import { adadelta } from './adadelta.ts';
import { adafactor } from './adafactor.ts';
import { adagrad } from './adagrad.ts';
import { adam } from './adam.ts';
import { adamw } from './adamw.ts';
import { amsgrad } from './amsgrad.ts';
import { chain, descend } from './chain.ts';
import { lamb } from './lamb.ts';
import { lars } from './lars.ts';
import { lion } from './lion.ts';
import { nadam } from './nadam.ts';
import { testGoldens } from './optimizer-goldens.test-helper.ts';
import { radam } from './radam.ts';
import { rmsprop } from './rmsprop.ts';
import { scaleByMomentum, sgd } from './sgd.ts';
import { scaleByTrustRatio } from './trust-ratio.ts';
import { addDecayedWeights } from './weight-decay.ts';
import { yogi } from './yogi.ts';

describe('optax', () => {
  testGoldens([
    { row: 'sgd', make: () => sgd(), rate: 0.03 },
    { row: 'momentum', make: () => sgd({ momentum: 0.9 }), rate: 0.02 },
    { row: 'nesterov', make: () => sgd({ momentum: 0.9, nesterov: true }), rate: 0.02 },
    { row: 'adagrad', make: () => adagrad({ initialAccumulator: 0.1, epsilon: 0 }), rate: 0.1 },
    { row: 'rmsprop', make: () => rmsprop({ epsilon: 1e-3 }), rate: 0.02 },
    { row: 'rmsprop inside', make: () => rmsprop({ epsilon: 1e-3, epsilonInside: true }), rate: 0.02 },
    { row: 'rmsprop momentum', make: () => rmsprop({ decay: 0.95, epsilon: 1e-3, momentum: 0.8 }), rate: 0.01 },
    { row: 'rmsprop nesterov', make: () => rmsprop({ decay: 0.95, epsilon: 1e-3, momentum: 0.8, nesterov: true }), rate: 0.01 },
    { row: 'rmsprop centered', make: () => rmsprop({ epsilon: 1e-2, epsilonInside: true, centered: true, momentum: 0.5 }), rate: 0.01 },
    { row: 'adadelta', make: () => adadelta({ epsilon: 1e-3, weightDecay: 0.1 }), rate: 1 },
    { row: 'adam', make: () => adam(), rate: 0.05 },
    { row: 'adam other options', make: () => adam({ beta1: 0.7, beta2: 0.95, epsilon: 1e-2 }), rate: 0.05 },
    { row: 'adamw', make: () => adamw({ weightDecay: 0.1 }), rate: 0.05 },
    { row: 'nadam constant', make: () => nadam({ momentumDecay: Infinity }), rate: 0.05 },
    { row: 'radam', make: () => radam(), rate: 0.05 },
    { row: 'radam fast', make: () => radam({ beta1: 0.8, beta2: 0.9, epsilon: 1e-4, threshold: 4 }), rate: 0.05 },
    { row: 'amsgrad before', make: () => amsgrad({ beta2: 0.9, correction: 'before' }), rate: 0.05 },
    { row: 'amsgrad paper', make: () => amsgrad({ beta2: 0.9, correction: 'none' }), rate: 0.05 },
    { row: 'adabelief', make: () => adabelief({ epsilon: 1e-6 }), rate: 0.05 },
    { row: 'adabelief defaults', make: () => adabelief(), rate: 0.05 },
    { row: 'lion', make: () => lion({ weightDecay: 0.1 }), rate: 0.01 },
    { row: 'lamb', make: () => lamb({ weightDecay: 0.1 }), rate: 0.05 },
    { row: 'lars', make: () => lars({ coefficient: 0.02 }), rate: 1 },
    { row: 'lars of the sum', make: () => descend('lars', chain(addDecayedWeights(0.1), scaleByTrustRatio({ coefficient: 0.02 }), scaleByMomentum({ momentum: 0.9, nesterov: true }))), rate: 1 },
    { row: 'adafactor', make: () => adafactor({ factoredFrom: 2 }), rate: 0.1 },
    { row: 'adafactor unfactored', make: () => adafactor({ beta1: 0.9, clipping: 0.5 }), rate: 0.1 },
    { row: 'yogi', make: () => yogi(), rate: 0.05 },
    { row: 'yogi from zero', make: () => yogi({ beta1: 0.8, beta2: 0.95, epsilon: 1e-2, initialAccumulator: 0 }), rate: 0.05 },
  ]);
});

describe('PyTorch', () => {
  testGoldens([
    { row: 'torch sgd', make: () => sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.1 }), rate: 0.02 },
    { row: 'torch adagrad', make: () => adagrad({ epsilon: 1e-3, initialAccumulator: 0.2, weightDecay: 0.1 }), rate: 0.1 },
    { row: 'torch rmsprop', make: () => rmsprop({ epsilon: 1e-3, momentum: 0.5, centered: true, weightDecay: 0.1 }), rate: 0.01 },
    { row: 'torch adadelta', make: () => adadelta({ rho: 0.8, epsilon: 1e-3 }), rate: 1 },
    { row: 'torch adam', make: () => adam({ weightDecay: 0.1 }), rate: 0.05 },
    { row: 'torch adamw', make: () => adamw(), rate: 0.05 },
    { row: 'torch nadam', make: () => nadam({ weightDecay: 0.1 }), rate: 0.05 },
    { row: 'torch nadam slow', make: () => nadam({ beta1: 0.8, beta2: 0.99, epsilon: 1e-4, momentumDecay: 0.05 }), rate: 0.05 },
    { row: 'torch radam', make: () => radam({ epsilon: 0, weightDecay: 0.1 }), rate: 0.05 },
    { row: 'torch amsgrad', make: () => amsgrad({ beta2: 0.9 }), rate: 0.05 },
  ]);
});
