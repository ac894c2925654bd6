/** Which entries of a vassal folder are vassal files, and what they are called (contract section 2). */
import { vassalNameProblem } from "../core/vassal-name.ts";
import { CONFIG_EXTENSIONS } from "./load.ts";

export type VassalFileName =
  /** Not a vassal: hidden, an editor's file, or of another kind. */
  | { readonly kind: "other" }
  | { readonly kind: "vassal"; readonly name: string }
  /** Meant as a vassal, but the name cannot be used; `reason` is half a sentence. */
  | { readonly kind: "refused"; readonly name: string; readonly reason: string };

/**
 * Judges a file name by itself.
 *
 * @example classifyVassalFile("blog.yaml") => { kind: "vassal", name: "blog" }
 */
export function classifyVassalFile(fileName: string): VassalFileName {
  const extension = CONFIG_EXTENSIONS.find((one) => fileName.endsWith(one));
  // Swap, backup and temporary names (.blog.yaml.swp, blog.yaml~, blog.yaml.tmp, #blog.yaml#) end otherwise or are hidden.
  if (extension === undefined || fileName.startsWith(".")) return { kind: "other" };
  const name = fileName.slice(0, -extension.length);
  if (name.endsWith("~") || name.endsWith(".tmp") || name.startsWith("#")) return { kind: "other" };
  const reason = vassalNameProblem(name);
  return reason === undefined ? { kind: "vassal", name } : { kind: "refused", name, reason };
}
