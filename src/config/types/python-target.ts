/** Where a Python application is: `pkg.mod:callable`, `file.py` or `file.py:callable`. */
import type { OptionType } from "../option.ts";
import { quoteValue } from "../problem.ts";
import { pathProblem } from "./path.ts";
import { readScalar } from "./scalars.ts";

export interface PythonTarget {
  /** A module name, or a path that ends in `.py` (as written: relative to `directory`). */
  readonly target: string;
  readonly callable?: string;
}

const LABEL = "a module such as blog.wsgi:application, or a file such as app.py";
const MODULE = /^[^\W\d]\w*(\.[^\W\d]\w*)*$/u;
/** A name, or an attribute of one, or a call without arguments: app, api.app, create_app(). */
const CALLABLE = /^[^\W\d]\w*(\.[^\W\d]\w*)*(\(\))?$/u;

/** `form: "file"` (uWSGI's wsgi-file) takes any path, also one that does not end in .py. */
export function pythonTarget(form: "any" | "file"): OptionType<PythonTarget> {
  return {
    label: LABEL,
    word: "module:callable",
    schema: { type: "string", minLength: 1, maxLength: 4095 },
    read(value, context) {
      const scalar = readScalar(value, context, LABEL);
      if (scalar === undefined) return undefined;
      const source = scalar.text.trim();
      const problem = pathProblem(source);
      if (problem !== undefined) return context.fail(value, problem, `write ${LABEL}`);
      const colon = source.lastIndexOf(":");
      const target = colon === -1 ? source : source.slice(0, colon);
      const callable = colon === -1 ? undefined : source.slice(colon + 1);
      const isFile = form === "file" || target.endsWith(".py") || target.includes("/");
      if (target === "" || (!isFile && (target.length > 1000 || !MODULE.test(target)))) {
        return context.fail(
          value,
          `'${quoteValue(source)}' names no Python module`,
          `write ${LABEL}`,
        );
      }
      if (callable !== undefined && (callable.length > 1000 || !CALLABLE.test(callable))) {
        return context.fail(
          value,
          `'${quoteValue(callable)}' cannot name a callable`,
          "write the name of a variable or function of the module, as in blog.wsgi:application",
        );
      }
      return callable === undefined ? { target } : { target, callable };
    },
    show: ({ target, callable }) => (callable === undefined ? target : `${target}:${callable}`),
  };
}
