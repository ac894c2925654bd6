/** `schema`: the JSON Schema of a vassal file (or of emperor.yaml), from the option table. */
import { jsonSchema } from "../../config/json-schema.ts";
import type { Scope } from "../../config/option.ts";

/** JSON text that ends in a line feed. */
export function schema(scope: Scope = "vassal"): string {
  return `${JSON.stringify(jsonSchema(scope), null, 2)}\n`;
}
