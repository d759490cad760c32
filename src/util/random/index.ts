/** Host randomness: pure functions of a key. `key(seed)`, `split(key, name)`, then one draw a key. @module */
export { Key, key, split } from './key.ts';
export { beta } from './beta.ts';
export { bernoulli, normal, rademacher, randint, uniform } from './draws.ts';
export type { FloatArray, FloatDType, NormalOptions, Size, UniformOptions } from './draws.ts';
export { choice, permutation } from './choice.ts';
export type { ChoiceOptions } from './choice.ts';
export { philox } from './philox.ts';
