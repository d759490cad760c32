/** How an empirical tangent kernel is cut into blocks within a memory budget. @module */
import type { ExamplePairs, OutputPairs } from './contraction.ts';
import { combined, type PredictedCost } from './flops.ts';
import type { BlockSize, NtkPrograms } from './ntk-programs.ts';

/** A consecutive range. */
export interface Range {
  readonly start: number;
  readonly count: number;
}

/** The two sets of examples and what is kept of their pairs. */
export interface KernelExtents {
  readonly rows: number;
  readonly columns: number;
  readonly outputs: number;
  /** The sets are one: half of the blocks suffice. */
  readonly symmetric: boolean;
  readonly pairs: ExamplePairs;
  readonly kept: OutputPairs;
}

/** Blocks of examples and of outputs, and how many prepared blocks are kept between uses. */
export interface BlockPlan extends BlockSize {
  /** Prepared blocks of columns that are kept; the others are prepared again for every block of rows. */
  readonly keptColumns: number;
  /** Predicted bytes alive at once. */
  readonly bytes: number;
}

export const rangesOf = (size: number, width: number): Range[] =>
  Array.from({ length: Math.ceil(size / width) }, (_, i) => ({ start: i * width, count: Math.min(width, size - i * width) }));

/** Column blocks that a row block is paired with. */
export const columnsFor = (row: number, columns: number, { symmetric, pairs }: KernelExtents): number[] => {
  if (pairs === 'diagonal') return [row];
  return Array.from({ length: symmetric ? row + 1 : columns }, (_, j) => j);
};

/** The largest width of the form size / integer, rounded up, for which `fits` holds; 1 if none does. */
function largestWidth(size: number, fits: (width: number) => boolean): number {
  if (fits(size)) return size;
  let low = 1;
  let high = size;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return Math.ceil(size / Math.ceil(size / low));
}

// Blocks beyond this many examples gain nothing and answer to an abort late.
const LARGEST_BLOCK = 256;

/**
 * Outputs are cut first (each range of outputs is a pass over all pairs, whose results add up), as far as it takes to keep
 * the prepared examples of one pass; then the examples. Half of the budget is for what is kept, a quarter for two blocks in
 * use, a quarter for a running program.
 */
export function planBlocks(programs: NtkPrograms, extents: KernelExtents, memoryBudget: number, wish: number | undefined): BlockPlan {
  const { rows, columns, outputs, kept, pairs } = extents;
  const examples = Math.max(rows, columns);
  const preparedFor = (count: number, seeds: number): number => programs.memory({ examples: count, seeds }).prepared;
  const seeds = kept === 'full' ? outputs : largestWidth(outputs, (k) => preparedFor(pairs === 'diagonal' ? 1 : columns, k) <= memoryBudget / 2);
  const fits = (count: number): boolean => {
    const { prepared, working } = programs.memory({ examples: count, seeds });
    return 2 * prepared <= memoryBudget / 4 && working <= memoryBudget / 4;
  };
  const width = wish === undefined ? largestWidth(examples, (count) => count <= LARGEST_BLOCK && fits(count)) : Math.min(wish, examples);
  const { prepared, working } = programs.memory({ examples: width, seeds });
  const room = Math.max(0, memoryBudget / 2);
  const keptColumns = pairs === 'diagonal' ? 0 : Math.min(Math.ceil(columns / width), prepared === 0 ? Infinity : Math.floor(room / prepared));
  return { examples: width, seeds, keptColumns, bytes: working + (2 + keptColumns) * prepared };
}

/** Cost of all blocks of a plan. */
export function costOfPlan(programs: NtkPrograms, extents: KernelExtents, plan: BlockPlan): PredictedCost {
  const passes = Math.ceil(extents.outputs / plan.seeds);
  const rowBlocks = Math.ceil(extents.rows / plan.examples);
  const columnBlocks = Math.ceil(extents.columns / plan.examples);
  let prepared = extents.symmetric ? Math.min(columnBlocks, plan.keptColumns) : rowBlocks + Math.min(columnBlocks, plan.keptColumns);
  let blocks = 0;
  for (let row = 0; row < rowBlocks; row++) {
    const needed = columnsFor(row, columnBlocks, extents);
    blocks += needed.length;
    prepared += needed.filter((column) => column >= plan.keptColumns).length;
  }
  const cost = programs.cost(plan);
  return combined(passes * prepared, cost.prepare, passes * blocks, cost.block);
}
