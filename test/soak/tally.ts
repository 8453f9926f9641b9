import type { Outcome } from '../e2e/faults/outcome.ts';

/** Further complaints are only counted. */
const MAX_LISTED = 20;

/** The outcomes of all requests, and everything that broke the contract. */
export class Tally {
  readonly #outcomes = new Map<string, number>();
  readonly #complaints: string[] = [];
  readonly #answered = new Set<string>();
  #complaintCount = 0;
  #requests = 0;

  get requests(): number {
    return this.#requests;
  }

  /** The ids of the requests whose answer the client received. */
  get answered(): ReadonlySet<string> {
    return this.#answered;
  }

  get isClean(): boolean {
    return this.#complaintCount === 0;
  }

  count({ status, code, headers }: Outcome): void {
    this.countAs(status === 0 ? code : `${status} ${code}`);
    const id = headers.get('x-request-id');
    if (id !== null) this.#answered.add(id);
  }

  countAs(outcome: string): void {
    this.#requests += 1;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }

  complain(complaint: string): void {
    this.#complaintCount += 1;
    if (this.#complaints.length < MAX_LISTED) this.#complaints.push(complaint);
  }

  /** Describes the run for people. */
  report(): string {
    const outcomes = [...this.#outcomes]
      .toSorted(([, a], [, b]) => b - a)
      .map(([outcome, count]) => `  ${String(count).padStart(8)}  ${outcome}`);
    const verdict = this.isClean
      ? ['Nothing broke the contract.']
      : [`What broke the contract (${this.#complaintCount}):`, ...this.#complaints.map((each) => `  ${each}`)];
    return [`${this.#requests} requests by outcome:`, ...outcomes, '', ...verdict, ''].join('\n');
  }
}
