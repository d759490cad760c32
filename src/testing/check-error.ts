/** The error of a check that did not hold. @module */
import { ThalwegError, type ErrorParts } from '../util/errors.ts';

/** A property that a test checks does not hold: derivatives, batching or values disagree with what they are compared with. */
export class CheckError extends ThalwegError {
  constructor(parts: ErrorParts) { super('CHECK', parts); }
}
