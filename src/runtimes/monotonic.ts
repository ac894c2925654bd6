/** Monotonic time for the vassal process. */

/**
 * Milliseconds since this process began, with the kernel's precision. Not `performance.now()`: the first use of that
 * global loads `node:perf_hooks`, 1 to 3 ms of a boot that has some 20 of its own.
 */
export function monotonicMs(): number {
  return process.uptime() * 1000;
}
