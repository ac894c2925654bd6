/**
 * Makes the methods of our subclasses reach objects whose prototype was changed: Express gives every request and
 * response one of its own, which knows only Node's classes.
 */

/** Puts what `own` overrides into `base`, for objects that are ours; all others keep what they had. */
export function adoptPrototype(
  own: object,
  base: object,
  isOurs: (value: unknown) => boolean,
): void {
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(own))) {
    if (name === "constructor") continue;
    const earlier = findProperty(base, name) ?? {};
    const both = typeof property.value === "function" ? method : getter;
    Object.defineProperty(base, name, both(property, earlier, isOurs));
  }
}

type Callable = (this: unknown, ...values: unknown[]) => unknown;

function method(
  own: PropertyDescriptor,
  earlier: PropertyDescriptor,
  isOurs: (value: unknown) => boolean,
): PropertyDescriptor {
  const mine = own.value as Callable;
  const theirs = earlier.value as Callable;
  return {
    configurable: true,
    writable: true,
    value(this: unknown, first: unknown, second: unknown, third: unknown): unknown {
      // Without a list of arguments: these are the hottest methods of a response, and have three at most.
      if (isOurs(this)) return mine.call(this, first, second, third);
      return theirs.apply(this, [...arguments]);
    },
  };
}

function getter(
  own: PropertyDescriptor,
  earlier: PropertyDescriptor,
  isOurs: (value: unknown) => boolean,
): PropertyDescriptor {
  return {
    ...earlier,
    configurable: true,
    get(this: unknown): unknown {
      return (isOurs(this) ? own : earlier).get?.call(this) as unknown;
    },
  };
}

function findProperty(start: object, name: string): PropertyDescriptor | undefined {
  for (
    let object: object | null = start;
    object;
    object = Object.getPrototypeOf(object) as object
  ) {
    const property = Object.getOwnPropertyDescriptor(object, name);
    if (property !== undefined) return property;
  }
  return undefined;
}
