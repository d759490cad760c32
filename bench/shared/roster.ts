/** The libraries' processes of a contest, all alive on the same case. @module */
import { Contestant, type Program } from './contestant.ts';

/** A process a library, started when it is first needed and again after one that has failed. */
export class Roster {
  readonly #directory: string;
  readonly #alive = new Map<Program, Contestant>();

  /** `directory`: the data directory of the case, which every process loads. */
  constructor(directory: string) { this.#directory = directory; }

  async get(program: Program): Promise<Contestant> {
    let contestant = this.#alive.get(program);
    if (contestant === undefined) {
      this.#alive.set(program, contestant = new Contestant(program));
      await contestant.ask({ cmd: 'load', dir: this.#directory });
    }
    return contestant;
  }

  /** Ends a process that has failed. */
  async drop(program: Program): Promise<void> {
    await this.#alive.get(program)?.close();
    this.#alive.delete(program);
  }

  async close(): Promise<void> {
    for (const contestant of this.#alive.values()) await contestant.close();
    this.#alive.clear();
  }
}
