/** Every error Thalweg raises on purpose: a stable `code`, and a message in one form. @module */

/** What a message is made of: `operation: required, got received. Try: remedy`. */
export interface ErrorParts {
  /** The operation or public function that refuses. */
  readonly operation: string;
  /** What is required, naming the argument. */
  readonly required: string;
  /** What came instead. */
  readonly received: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** Base class of all errors raised on purpose; `code` is stable across versions. */
export class ThalwegError extends Error {
  readonly code: string;
  constructor(code: string, parts: ErrorParts) {
    const remedy = parts.remedy === undefined ? '' : `\n  Try: ${parts.remedy}`;
    super(`${parts.operation}: ${parts.required}, got ${parts.received}.${remedy}`);
    this.code = code;
    this.name = new.target.name;
  }
}

/** Shapes, sizes or axes that do not fit the operation. */
export class ShapeError extends ThalwegError {
  constructor(parts: ErrorParts) { super('SHAPE', parts); }
}

/** An element type the operation does not take. */
export class DtypeError extends ThalwegError {
  constructor(parts: ErrorParts) { super('DTYPE', parts); }
}

/** An axis out of range or named twice. */
export class AxisError extends ThalwegError {
  constructor(parts: ErrorParts) { super('AXIS', parts); }
}

/** A derivative was asked for along a path that has none. */
export class NonlinearError extends ThalwegError {
  constructor(parts: ErrorParts) { super('NONLINEAR', parts); }
}

/** The backend cannot run an operation on these types. */
export class LoweringError extends ThalwegError {
  constructor(parts: ErrorParts) { super('LOWERING', parts); }
}

/** A NaN or an infinity appeared where a finite number is required. */
export class NonFiniteError extends ThalwegError {
  constructor(parts: ErrorParts) { super('NON_FINITE', parts); }
}

/** A tensor used outside of the trace it belongs to, or a host value used as a tensor. */
export class TraceError extends ThalwegError {
  constructor(parts: ErrorParts) { super('TRACE', parts); }
}

/** Two trees that must have one structure do not. */
export class TreeError extends ThalwegError {
  constructor(parts: ErrorParts) { super('TREE', parts); }
}

/** An option or argument outside of what the function accepts. */
export class ArgumentError extends ThalwegError {
  constructor(parts: ErrorParts) { super('ARGUMENT', parts); }
}

/** A file, dataset or folder that is missing, unreadable or malformed. */
export class DataError extends ThalwegError {
  constructor(parts: ErrorParts) { super('DATA', parts); }
}

/** A graph that breaks an invariant of the intermediate representation: a defect of Thalweg itself. */
export class GraphError extends ThalwegError {
  constructor(parts: ErrorParts) { super('GRAPH', parts); }
}
