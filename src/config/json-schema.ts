/** The option table as JSON Schema 2020-12, for editors: completion, hover texts, and typing errors while writing. */
import type { JsonSchema, OptionSpec, Scope } from "./option.ts";
import { usableOptions } from "./options/registry.ts";

/**
 * The schema of a vassal file or of emperor.yaml. It is as strict as the loader about names, and a little more lenient about
 * values (what spans several keys is checked by the loader alone).
 */
export function jsonSchema(scope: Scope): JsonSchema {
  const properties = propertiesOf(scope);
  const top: JsonSchema = {
    type: "object",
    properties,
    additionalProperties: false,
  };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: scope === "vassal" ? "tsgi vassal file" : "tsgi emperor settings",
    ...top,
    ...(scope === "vassal" ? { properties: { ...properties, uwsgi: UWSGI } } : {}),
  };
}

const UWSGI: JsonSchema = {
  type: "object",
  description: "Options under uWSGI's names, as a uWSGI YAML or JSON file has them.",
};

function propertiesOf(scope: Scope): Record<string, JsonSchema> {
  const properties: Record<string, JsonSchema> = {};
  const members = new Map<string, Record<string, JsonSchema>>();
  const add = (name: string, schema: JsonSchema): void => {
    const dot = name.indexOf(".");
    if (dot === -1) {
      properties[name] = schema;
      return;
    }
    const group = members.get(name.slice(0, dot)) ?? {};
    group[name.slice(dot + 1)] = schema;
    members.set(name.slice(0, dot), group);
  };
  for (const spec of usableOptions(scope)) {
    add(spec.name, withDoc(spec, spec.type.schema));
    for (const alias of spec.aliases) {
      const schema = (alias.type ?? spec.type).schema;
      add(alias.name, {
        // An alias may take a bare number where the key wants a unit.
        ...(alias.type === undefined ? schema : { type: ["string", "number", "boolean", "array"] }),
        description: `Another name of '${spec.name}'${alias.note === undefined ? "" : `: ${alias.note}`}.`,
        deprecated: true,
      });
    }
  }
  for (const [group, its] of members) {
    const mapping: JsonSchema = { type: "object", properties: its, additionalProperties: false };
    const plain = properties[group];
    // "static: /srv/www" and "http: :8080" stand beside the mapping.
    properties[group] = plain === undefined ? mapping : { anyOf: [plain, mapping] };
  }
  return properties;
}

function withDoc(spec: OptionSpec<unknown>, schema: JsonSchema): JsonSchema {
  const fallback = spec.default === undefined ? {} : { default: spec.type.show(spec.default) };
  return { ...schema, description: spec.doc, ...fallback, examples: [spec.example] };
}
