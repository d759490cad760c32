/** How a data set is cut: chunk size, and how many chunks' residuals are kept, within a memory budget. @module */
import type { Graph } from '../core/graph.ts';
import { computedResiduals, splitGraph } from '../transforms/index.ts';
import { bytesOf, peakBytes } from './memory.ts';

/** Memory that residuals and a running chunk may take together, unless said otherwise. */
export const DEFAULT_MEMORY_BUDGET = 512 * 2 ** 20;
/** The part of the budget that one running chunk may take: a backend keeps such a working set for each of a few sessions. */
const WORKING_SHARE = 1 / 16;
/** Rooms that the examples of a chunk may take where the parameters alone take more than one. */
const MOST_ROOMS = 6;
const TRIAL = 64;
/** Up to so many examples, all of them are tried first: where they fit, one trace does. */
const WHOLE_TRIAL = 4096;

export interface ChunkPlan {
  /** Examples of a full chunk. */
  readonly chunk: number;
  /** Number of chunks; the last is smaller when the size is no multiple. */
  readonly chunks: number;
  /** Leading chunks whose residuals are kept between calls; the others are recomputed. */
  readonly kept: number;
  /** Predicted bytes of one full chunk's residuals. */
  readonly residualBytes: number;
  /** Predicted bytes alive while one full chunk runs. */
  readonly workingBytes: number;
}

interface Prediction {
  readonly residual: number;
  readonly working: number;
}

/** Predictions at one chunk size. `bound` is the number of leading inputs of the graph that are bound. */
function predict(graph: Graph, bound: number | undefined): Prediction {
  if (bound === undefined) return { residual: 0, working: peakBytes(graph) };
  const parts = splitGraph(graph, bound);
  return { residual: bytesOf(computedResiduals(parts.bound)), working: Math.max(peakBytes(parts.bound), peakBytes(parts.call)) };
}

export interface PlanArguments {
  readonly size: number;
  /** A wish of the user. */
  readonly chunk: number | undefined;
  readonly memoryBudget: number;
  /** Number of bound inputs; undefined when nothing is bound. */
  readonly bound: number | undefined;
  /** The graph for a chunk of this many examples. */
  readonly graphAt: (examples: number) => Graph;
}

/** Chooses the chunk size (memory is linear in it, so two small traces tell) and what is kept. */
export function planChunks({ size, chunk, memoryBudget, bound, graphAt }: PlanArguments): ChunkPlan {
  const at = (examples: number): Prediction => predict(graphAt(examples), bound);
  const room = memoryBudget * WORKING_SHARE;
  const whole = chunk === undefined && size <= WHOLE_TRIAL ? at(size) : undefined;
  const chosen = chunk !== undefined ? Math.min(chunk, size) : whole && whole.working <= room ? size : evenChunk(size, largestChunk(size, room, at));
  const { residual, working } = whole && chosen === size ? whole : at(chosen);
  const chunks = Math.ceil(size / chosen);
  const left = Math.max(0, memoryBudget - working);
  const kept = bound === undefined ? 0 : residual === 0 ? chunks : Math.min(chunks, Math.floor(left / residual));
  return { chunk: chosen, chunks, kept, residualBytes: residual, workingBytes: working };
}

function largestChunk(size: number, room: number, at: (examples: number) => Prediction): number {
  const second = Math.min(size, 2 * TRIAL);
  const first = Math.min(TRIAL, Math.ceil(size / 2));
  if (second === first) return size;
  const low = at(first).working;
  const slope = (at(second).working - low) / (second - first);
  const fixed = low - slope * first;
  if (slope <= 0) return size;
  // Where the parameters alone fill the room, chunks that take as much again still let them do some work: each chunk also costs a result
  // of the parameters' size.
  return Math.max(1, Math.min(size, Math.floor(Math.max(room - fixed, room / 4, Math.min(fixed, MOST_ROOMS * room)) / slope)));
}

/** A chunk of at most `most`: a divisor of the size where one is near, so that all chunks are equal; else the evenest cut. */
function evenChunk(size: number, most: number): number {
  for (let chunks = Math.ceil(size / most); chunks <= 2 * Math.ceil(size / most); chunks++) if (size % chunks === 0) return size / chunks;
  return Math.ceil(size / Math.ceil(size / most));
}
