/** Programs by name, each compiled when it is first needed. @module */
import type { Executor } from '../core/backend.ts';
import type { Graph } from '../core/graph.ts';
import { compile } from '../transforms/index.ts';

/** A compiled function of trees; the types of their leaves are known to the caller. */
export interface Compiled<Args extends unknown[] = unknown[], Out = unknown> {
  (...args: Args): Promise<Out>;
  graph(...args: Args): Graph;
  dispose(): Promise<void>;
}

/** The programs of a run. */
export class CompiledPrograms {
  readonly #executor: Executor | undefined;
  readonly #programs = new Map<string, Compiled<never[]>>();

  constructor(executor: Executor | undefined) { this.#executor = executor; }

  /** The program of this name; `make` gives its function where there is none yet. */
  get<Args extends unknown[], Out>(name: string, make: () => unknown): Compiled<Args, Out> {
    let program = this.#programs.get(name);
    if (program === undefined) this.#programs.set(name, (program = compile(make() as never, { executor: this.#executor, name }) as unknown as Compiled<never[]>));
    return program as unknown as Compiled<Args, Out>;
  }

  async dispose(): Promise<void> { await Promise.all([...this.#programs.values()].map((program) => program.dispose())); }
}
