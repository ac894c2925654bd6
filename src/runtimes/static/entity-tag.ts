/** The ETag of a file, made from what the kernel says about it. */

/** Identity of one state of one file. */
export interface FileState {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** Time stamps are as coarse as the kernel's tick (and seconds on some network file systems). */
const YOUNG_MS = 2000;

/** True when the file may change once more without any of its facts changing: neither cached nor strongly tagged. */
export function isYoung(state: FileState, wallMs: number): boolean {
  return wallMs - Number(state.ctimeNs / 1_000_000n) < YOUNG_MS;
}

export function isSameState(left: FileState, right: FileState): boolean {
  return (
    left.ino === right.ino &&
    left.ctimeNs === right.ctimeNs &&
    left.mtimeNs === right.mtimeNs &&
    left.size === right.size &&
    left.dev === right.dev
  );
}

/**
 * Changes with every edit, also one that keeps size and mtime (the change time and inode are in it); hashed, so it
 * tells nothing about the file system. Weak while the file is young.
 */
export function entityTag(state: FileState, wallMs: number): string {
  const tag = hash53(`${state.ino}.${state.size}.${state.mtimeNs}.${state.ctimeNs}`).toString(36);
  return isYoung(state, wallMs) ? `W/"${tag}"` : `"${tag}"`;
}

/** cyrb53: 53 well-mixed bits; nobody gains anything by a collision with their own file. */
function hash53(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
