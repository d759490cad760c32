/** The libraries' processes of a contest, all alive on the same case. @module */
import { Contestant, messageOf, withContestant, type Program } from './contestant.ts';

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

  /** What `measure` finds in a fresh process, or, where runs are not isolated, in the one that does everything. */
  async first<T>(program: Program, isolated: boolean, measure: (contestant: Contestant) => Promise<T>): Promise<T> {
    if (!isolated) return measure(await this.get(program));
    return withContestant(program, async (contestant) => {
      await contestant.ask({ cmd: 'load', dir: this.#directory });
      return measure(contestant);
    });
  }

  /** An entry's turn. One that fails is recorded and has no further turn; its process is started again for the entries to come. */
  async attempt(program: Program, record: { failure?: string }, turn: () => Promise<void>): Promise<void> {
    if (record.failure !== undefined) return;
    try {
      await turn();
    } catch (error) {
      record.failure = messageOf(error);
      await this.#drop(program);
    }
  }

  async #drop(program: Program): Promise<void> {
    await this.#alive.get(program)?.close();
    this.#alive.delete(program);
  }

  async close(): Promise<void> {
    for (const contestant of this.#alive.values()) await contestant.close();
    this.#alive.clear();
  }
}
