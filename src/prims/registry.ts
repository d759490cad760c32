/** Every primitive of the engine, for the shared test suite and the printed tables. @module */
import type { Primitive } from '../core/tensor.ts';
import * as binary from './binary.ts';
import { broadcastPrimitive } from './broadcast.ts';
import { constantPrimitive, iotaPrimitive } from './constant.ts';
import { convPrimitive } from './conv.ts';
import { convertPrimitive } from './convert.ts';
import { checkpointPrimitive, customJvpPrimitive, customLinearPrimitive, customVjpPrimitive } from './control/call.ts';
import { condPrimitive } from './control/cond.ts';
import { scanPrimitive } from './control/scan.ts';
import { whilePrimitive } from './control/while.ts';
import { cumulativeSumPrimitive } from './cumulative.ts';
import { dotPrimitive } from './dot.ts';
import { gatherPrimitive, scatterPrimitive } from './indexing.ts';
import { maxPoolPrimitive } from './pool.ts';
import { argmaxPrimitive, maxPrimitive, minPrimitive, sumPrimitive } from './reduce.ts';
import { selectPrimitive } from './select.ts';
import { concatPrimitive, reshapePrimitive, reversePrimitive, transposePrimitive } from './shape.ts';
import { padPrimitive, slicePrimitive } from './slice.ts';
import { topKPrimitive } from './sort.ts';
import * as unary from './unary.ts';

/** All primitives, families in the order of the documentation. */
// Parameter types differ from primitive to primitive; within a record they agree.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export const primitives: readonly Primitive<any>[] = [
  unary.negPrimitive, unary.absPrimitive, unary.signPrimitive, unary.expPrimitive, unary.logPrimitive, unary.log1pPrimitive, unary.expm1Primitive,
  unary.sqrtPrimitive, unary.rsqrtPrimitive, unary.sinPrimitive, unary.cosPrimitive, unary.tanPrimitive, unary.asinPrimitive, unary.acosPrimitive,
  unary.atanPrimitive, unary.sinhPrimitive, unary.coshPrimitive, unary.tanhPrimitive, unary.logisticPrimitive, unary.erfPrimitive,
  unary.floorPrimitive, unary.ceilPrimitive, unary.roundPrimitive, unary.notPrimitive, unary.stopGradientPrimitive, unary.aliasPrimitive,
  binary.addPrimitive, binary.subPrimitive, binary.mulPrimitive, binary.divPrimitive, binary.powPrimitive, binary.maxPrimitive, binary.minPrimitive,
  binary.atan2Primitive, binary.modPrimitive, binary.equalPrimitive, binary.notEqualPrimitive, binary.lessPrimitive, binary.lessEqualPrimitive,
  binary.greaterPrimitive, binary.greaterEqualPrimitive, binary.andPrimitive, binary.orPrimitive,
  selectPrimitive, convertPrimitive, constantPrimitive, iotaPrimitive,
  broadcastPrimitive, sumPrimitive, maxPrimitive, minPrimitive, argmaxPrimitive,
  reshapePrimitive, transposePrimitive, reversePrimitive, concatPrimitive, slicePrimitive, padPrimitive,
  dotPrimitive, convPrimitive, maxPoolPrimitive, gatherPrimitive, scatterPrimitive, topKPrimitive, cumulativeSumPrimitive,
  scanPrimitive, whilePrimitive, condPrimitive, checkpointPrimitive, customJvpPrimitive, customVjpPrimitive, customLinearPrimitive,
];
