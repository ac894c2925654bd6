/** One Python worker as the vassal process sees it: its connections, the requests it holds, its end. */
import type { Socket } from "node:net";
import {
  ChannelError,
  FrameDecoder,
  decodeResponseStart,
} from "../../protocol/worker-channel/frame-decoder.ts";
import type { ResponseStart } from "../../protocol/worker-channel/frame-decoder.ts";
import { FRAME, TEMPLATES_MAX, encodeFrame } from "../../protocol/worker-channel/frame.ts";
import { monotonicMs } from "../monotonic.ts";
import type { WorkerProcess } from "../pool/worker-source.ts";
import { SHORT_SERVICE_MS, smoothService } from "./dispatch-policy.ts";
import type { FrameSink, Job } from "./job.ts";
import { JobTable } from "./job-table.ts";

/** Body chunks up to here travel as text with the frames around them. */
const COPY_MAX = 4096;

export interface LinkHost {
  /** Something waits to be written; `flush` is to be called in this turn. */
  dirty(link: WorkerLink): void;
  ready(link: WorkerLink): void;
  /** Answers have come, `count` of them complete. */
  progressed(link: WorkerLink, count: number): void;
  finished(job: Job): void;
  /** Requests that the worker has not begun and will not. */
  givenBack(jobs: readonly Job[]): void;
  /** The data connection has ended: nothing more will come. */
  closed(link: WorkerLink): void;
  fault(link: WorkerLink, message: string): void;
}

export class WorkerLink implements WorkerProcess, FrameSink {
  readonly id: number;
  readonly ticket: number;
  readonly threads: number;
  pid = 0;
  readonly jobs = new JobTable<Job>();
  isReady = false;
  /** Gets no new work: retiring, leaving or dead. */
  isClosing = false;
  /** The unbegun ones were asked back since the last answer. */
  isRecalled = false;
  /** It was told to send what it has, since the last answer. */
  isNudged = false;
  serviceMs = SHORT_SERVICE_MS;
  progressAtMs = 0;
  readonly #host: LinkHost;
  #data: Socket | undefined;
  #control: Socket | undefined;
  #text = "";
  #lastId = 0;
  #begun = 0;
  #answers = 0;
  #signal: "SIGTERM" | "SIGKILL" | undefined;
  #orphans = 0;
  #isEnded = false;
  #isLoaded = false;
  /** Heads that the worker repeats, by number. */
  readonly #templates: ResponseStart[] = [];
  #dumps = new Map<number, (stack: string) => void>();

  constructor(id: number, ticket: number, threads: number, host: LinkHost) {
    this.id = id;
    this.ticket = ticket;
    this.threads = threads;
    this.#host = host;
  }

  get outstanding(): number {
    return this.jobs.size;
  }

  requests(): number {
    return this.#begun;
  }

  inFlight(): number {
    return this.jobs.size;
  }

  retire(): void {
    this.isClosing = true;
    this.recall();
    this.#endWhenIdle();
  }

  kill(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.pid === 0) {
      this.#signal = signal;
      return;
    }
    this.signal(signal);
  }

  /** Sends any signal, also by number; a process that is gone is fine. */
  signal(signal: NodeJS.Signals | number): void {
    try {
      if (this.pid > 0) process.kill(this.pid, signal);
    } catch {
      // It is gone: its exit is on the way.
    }
  }

  started(pid: number): void {
    this.pid = pid;
    if (this.#signal !== undefined) this.signal(this.#signal);
  }

  attachControl(socket: Socket, rest: Buffer): void {
    this.#control = socket;
    const decoder = new FrameDecoder((type, id, bytes, start, end) =>
      this.#takeControl(type, id, bytes, start, end),
    );
    this.#read(socket, decoder, rest, () => undefined);
  }

  attachData(socket: Socket, rest: Buffer): void {
    this.#data = socket;
    const decoder = new FrameDecoder((type, id, bytes, start, end) =>
      this.#takeData(type, id, bytes, start, end),
    );
    this.#read(socket, decoder, rest, () => this.#account());
    socket.once("close", () => {
      this.isReady = false;
      this.isClosing = true;
      for (const answer of this.#dumps.values()) answer("");
      this.#host.closed(this);
    });
    this.#becomeReady();
  }

  /** Its two connections arrive in any order. */
  #becomeReady(): void {
    if (!this.#isLoaded || this.#data === undefined || this.isClosing) return;
    this.isReady = true;
    this.#host.ready(this);
  }

  /** Hands a request to the worker; it leaves with the batch. */
  give(job: Job, nowMs: number): void {
    if (this.jobs.size === 0) this.progressAtMs = nowMs;
    this.isRecalled = false;
    this.isNudged = false;
    this.#lastId = (this.#lastId + 1) >>> 0;
    this.#begun += 1;
    job.place(this, this.#lastId);
    this.jobs.add(job);
    job.send(this);
  }

  sendText(frames: string): void {
    if (this.#text === "") this.#host.dirty(this);
    this.#text += frames;
  }

  sendBytes(header: string, bytes: Buffer): void {
    if (bytes.length <= COPY_MAX) {
      this.sendText(header + bytes.toString("latin1"));
      return;
    }
    this.sendText(header);
    this.#data?.cork();
    this.flush();
    this.#data?.write(bytes);
    this.#data?.uncork();
  }

  /** Writes the batch. */
  flush(): void {
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#data?.write(text, "latin1");
  }

  /** Asks for everything back that has not begun, and for the answers that wait for their batch. */
  recall(): void {
    if (this.jobs.size === 0) return;
    this.isRecalled = true;
    this.flush();
    this.#control?.write(encodeFrame(FRAME.recall, 0), "latin1");
  }

  /** Asks for the answers that wait for their batch: what runs after them may be slow. */
  nudge(): void {
    this.isNudged = true;
    this.#control?.write(encodeFrame(FRAME.flush, 0), "latin1");
  }

  /** Nobody waits for the answer any more: an unbegun request is dropped, a running one learns at its next read or write. */
  abandon(job: Job): void {
    if (this.jobs.get(job.id) !== job) return;
    this.#orphan(job);
    const frame = encodeFrame(FRAME.abort, job.id);
    this.sendText(frame);
    this.flush();
    this.#control?.write(frame, "latin1");
  }

  /** Past its deadline: it is answered already, its worker will go. */
  #orphan(job: Job): void {
    if (job.isOrphan) return;
    job.isOrphan = true;
    this.#orphans += 1;
  }

  /** The stack of the thread that runs `job`, "" when it cannot be had within `timeoutMs`. */
  dump(job: Job, timeoutMs: number, answer: (stack: string) => void): void {
    this.#orphan(job);
    const { id } = job;
    const timer = setTimeout(() => this.#dumped(id, ""), timeoutMs);
    this.#dumps.set(id, (stack) => {
      clearTimeout(timer);
      answer(stack);
    });
    this.#control?.write(encodeFrame(FRAME.dump, id), "latin1");
  }

  destroy(): void {
    this.#data?.destroy();
    this.#control?.destroy();
  }

  #dumped(id: number, stack: string): void {
    const answer = this.#dumps.get(id);
    this.#dumps.delete(id);
    answer?.(stack);
  }

  #read(socket: Socket, decoder: FrameDecoder, rest: Buffer, after: () => void): void {
    const take = (chunk: Buffer): void => {
      try {
        decoder.push(chunk);
      } catch (error) {
        if (!(error instanceof ChannelError || error instanceof RangeError)) throw error;
        this.#host.fault(this, error.message);
        this.signal("SIGKILL");
        socket.destroy();
        return;
      }
      after();
    };
    socket.on("data", take);
    if (rest.length > 0) take(rest);
  }

  #takeData(type: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (type === FRAME.template) {
      if (id >= TEMPLATES_MAX) throw new ChannelError(`Cannot keep a head as number ${id}`);
      this.#templates[id] = decodeResponseStart(bytes, start, end);
      return;
    }
    const job = this.jobs.get(id);
    if (job === undefined) return;
    switch (type) {
      case FRAME.short: {
        const head = this.#templates[bytes.readUInt16LE(start)];
        if (head === undefined) throw new ChannelError("Cannot find the head of a response");
        this.#finish(job);
        job.answer(head, end - start - 2, bytes.subarray(start + 2, end));
        return;
      }
      case FRAME.full: {
        const head = decodeResponseStart(bytes, start, end);
        this.#finish(job);
        job.answer(head, head.contentLength, bytes.subarray(head.bodyStart, end));
        return;
      }
      case FRAME.head:
        job.startStream(decodeResponseStart(bytes, start, end));
        return;
      case FRAME.data:
        job.writeBody(bytes.subarray(start, end));
        return;
      case FRAME.end:
        this.#finish(job);
        if (job.exchange.started && !job.exchange.done) job.exchange.end();
        return;
      case FRAME.fail:
        this.#finish(job);
        if (!job.exchange.done) job.exchange.fail(500, bytes.toString("utf8", start, end));
        return;
      case FRAME.done:
        this.#finish(job);
        return;
      case FRAME.credit:
        job.credit(end - start === 4 ? bytes.readUInt32LE(start) : 0);
        return;
      case FRAME.ask:
        job.begun();
        job.readBody();
        return;
      default:
        throw new ChannelError(`Cannot understand a frame of type ${type}`);
    }
  }

  #finish(job: Job): void {
    this.jobs.delete(job);
    this.#answers += 1;
    if (job.isOrphan) this.#orphans -= 1;
    this.#host.finished(job);
  }

  /** After a chunk: how long the answers in it took. */
  #account(): void {
    const answers = this.#answers;
    const nowMs = monotonicMs();
    if (answers > 0) {
      this.#answers = 0;
      const busy = Math.min(this.threads, this.jobs.size + answers);
      this.serviceMs = smoothService(this.serviceMs, nowMs - this.progressAtMs, answers, busy);
      this.progressAtMs = nowMs;
      this.isRecalled = false;
      this.isNudged = false;
    }
    this.#host.progressed(this, answers);
    this.#endWhenIdle();
  }

  #takeControl(type: number, id: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case FRAME.ready:
        this.#isLoaded = true;
        this.#becomeReady();
        return;
      case FRAME.recalled: {
        const jobs: Job[] = [];
        for (let at = start; at + 4 <= end; at += 4) {
          const job = this.jobs.get(bytes.readUInt32LE(at));
          if (job === undefined) continue;
          this.jobs.delete(job);
          this.#begun -= 1;
          if (job.isOrphan) this.#orphans -= 1;
          jobs.push(job);
        }
        this.#host.givenBack(jobs);
        this.#endWhenIdle();
        return;
      }
      case FRAME.stack:
        this.#dumped(id, bytes.toString("utf8", start, end));
        return;
      case FRAME.leaving:
        this.retire();
        return;
      case FRAME.pong:
        return;
      default:
        throw new ChannelError(`Cannot understand a control frame of type ${type}`);
    }
  }

  /** A retiring worker goes when nobody waits for it: by end of file, or killed when it is stuck in what remains. */
  #endWhenIdle(): void {
    if (!this.isClosing || this.#isEnded || this.jobs.size > this.#orphans) return;
    this.#isEnded = true;
    if (this.jobs.size > 0) this.signal("SIGKILL");
    else this.#data?.end();
  }
}
