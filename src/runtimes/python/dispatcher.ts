/** Gives requests to workers: a batch per turn of the event loop, nothing behind a slow one, nothing lost with a dead one. */
import { availableParallelism } from "node:os";
import { monotonicMs } from "../monotonic.ts";
import { isBetterPlace, isStalled, joinMs, workerCapacity, STALL_MS } from "./dispatch-policy.ts";
import type { Job } from "./job.ts";
import type { WorkerLink } from "./worker-link.ts";

const LONGEST_WATCH_MS = 50;

export class Dispatcher {
  readonly #links: WorkerLink[] = [];
  readonly #joinMs = joinMs(availableParallelism());
  readonly #dirty = new Set<WorkerLink>();
  /** Requests no worker has; those that were given back stand before new ones. */
  #backlog: Job[] = [];
  #isScheduled = false;
  #isWatching = false;
  #watchMs = STALL_MS;

  /** Requests that wait for a worker. */
  get waiting(): number {
    return this.#backlog.length;
  }

  add(job: Job): void {
    this.#backlog.push(job);
    this.#schedule();
  }

  /** Requests that come back from a worker: first in the line again. */
  giveBack(jobs: readonly Job[]): void {
    for (const job of jobs) job.takenBack();
    const wanted = jobs.filter((job) => !job.exchange.done && !job.isOrphan);
    this.#backlog = [...wanted, ...this.#backlog];
    this.#dispatch();
  }

  remove(job: Job): void {
    const index = this.#backlog.indexOf(job);
    if (index >= 0) this.#backlog.splice(index, 1);
  }

  join(link: WorkerLink): void {
    this.#links.push(link);
    this.#dispatch();
  }

  leave(link: WorkerLink): void {
    const index = this.#links.indexOf(link);
    if (index >= 0) this.#links.splice(index, 1);
    this.#dirty.delete(link);
  }

  dirty(link: WorkerLink): void {
    this.#dirty.add(link);
    this.#schedule();
  }

  /** A worker has room again. */
  wake(link: WorkerLink): void {
    if (this.#backlog.length > 0) this.#dispatch();
    else if (this.#isWatching && link.outstanding === 0) this.#helpStalled();
  }

  /** What one turn brings is dispatched together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    const backlog = this.#backlog;
    if (backlog.length > 0) {
      const nowMs = monotonicMs();
      let given = 0;
      while (given < backlog.length) {
        const job = backlog[given];
        if (job === undefined) break;
        if (!job.exchange.done) {
          const link = this.#pick(nowMs);
          if (link === undefined) break;
          link.give(job, nowMs);
        }
        given += 1;
      }
      // `give` may have called back into this object: what was added meanwhile stands behind `given`.
      if (given > 0) {
        this.#backlog.splice(0, given);
        this.#watchMs = STALL_MS;
      }
    }
    if (this.#dirty.size > 0) {
      for (const link of this.#dirty) link.flush();
      this.#dirty.clear();
    }
    this.#watch();
  }

  /** The best place among the workers that may hold one more. */
  #pick(nowMs: number): WorkerLink | undefined {
    let best: WorkerLink | undefined;
    for (const link of this.#links) {
      if (link.isClosing || !link.isReady) continue;
      if (best !== undefined && !isBetterPlace(link, best, this.#joinMs)) continue;
      if (link.outstanding < link.threads || link.outstanding < workerCapacity(link, nowMs)) {
        best = link;
      }
    }
    return best;
  }

  /** While a worker holds more than one request, one of them may be slow. */
  #watch(): void {
    if (this.#isWatching) return;
    if (!this.#links.some((link) => link.outstanding > 1 && !link.isRecalled)) {
      this.#watchMs = STALL_MS;
      return;
    }
    this.#isWatching = true;
    // Looked at after the poll phase: answers that have arrived already count.
    setTimeout(() => setImmediate(() => this.#look()), this.#watchMs).unref();
  }

  #look(): void {
    this.#isWatching = false;
    // A worker that becomes idle looks by itself, so this may become rare.
    this.#watchMs = Math.min(this.#watchMs * 2, LONGEST_WATCH_MS);
    this.#helpStalled();
    this.#watch();
  }

  /** Requests behind a slow one go to a worker with nothing to do; without such a one only finished answers are fetched. */
  #helpStalled(): void {
    const nowMs = monotonicMs();
    const isAnyIdle = this.#links.some(
      (link) => link.isReady && !link.isClosing && link.outstanding < link.threads,
    );
    for (const link of this.#links) {
      if (link.isRecalled || !isStalled(link, nowMs)) continue;
      if (isAnyIdle && link.outstanding > link.threads) link.recall();
      else if (!link.isNudged) link.nudge();
    }
  }
}
