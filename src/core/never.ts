/** The end of an exhaustive switch over input from outside. */

export function assertNever(value: never, what: string): never {
  throw new TypeError(`Cannot handle ${what}: ${JSON.stringify(value)}`);
}
