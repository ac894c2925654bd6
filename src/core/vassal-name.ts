/** What may be the name of a vassal: it becomes part of paths, log tags and commands. */

export const VASSAL_NAME_MAX = 128;

/** Why `name` cannot name a vassal, or undefined when it can. */
export function vassalNameProblem(name: string): string | undefined {
  if (name.length > VASSAL_NAME_MAX) {
    return `the name has ${name.length} characters, at most ${VASSAL_NAME_MAX} are allowed`;
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._@-]*$/.test(name)) {
    return "a name starts with a letter or digit and has only letters, digits and . _ @ -";
  }
  return undefined;
}
