/** `check FILE|DIR…`: validates vassal files without running anything; every problem of every file at once. */
import { readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { loadVassalConfig } from "../../config/load.ts";
import type { LoadResult } from "../../config/load.ts";
import { MAX_FILE_BYTES } from "../../config/formats/source-text.ts";
import { formatProblem } from "../../config/problem.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import { resolvedText, resolveOptions } from "../../config/resolved.ts";
import type { ResolvedOption } from "../../config/resolved.ts";
import { addressesClash } from "../../config/types/listen-address.ts";
import { systemCode } from "../../core/errors.ts";
import { EXIT } from "../../core/exit-codes.ts";
import { vassalNameProblem } from "../../core/vassal-name.ts";
import { vassalNameOf } from "../../emperor/monitors/vassal-candidates.ts";
import { readBounded } from "../../platform/files.ts";

export interface CheckOptions {
  /** Also every option with the value in force and where it came from. */
  readonly resolved?: boolean;
}

/** The JSON document of `check --json`. */
export interface CheckReport {
  readonly ok: boolean;
  readonly files: readonly CheckedFile[];
  /** Errors of all files and between files, in the order of the files. */
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

export interface CheckedFile {
  readonly file: string;
  readonly name: string;
  readonly ok: boolean;
  /** Canonical addresses; empty when the file is not valid. */
  readonly listen: readonly string[];
  readonly resolved?: readonly ResolvedOption[];
}

export interface CheckResult {
  readonly text: string;
  readonly json: CheckReport;
  readonly exitCode: number;
}

/** Checks files and folders; relative paths start at the current directory. */
export function checkPaths(paths: readonly string[], options: CheckOptions = {}): CheckResult {
  const candidates = paths.flatMap((path) => candidatesOf(resolve(path)));
  const checked = candidates.map((candidate) => checkCandidate(candidate));
  const between = [...sameNames(checked), ...sameAddresses(checked)];
  const problems = [...checked.flatMap((one) => one.problems), ...between];
  const warnings = checked.flatMap((one) => one.warnings);
  const bad = new Set(problems.map(({ file }) => file));
  const files = checked
    .filter(({ isVassal }) => isVassal)
    .map(({ file, name, result }): CheckedFile => ({
      file,
      name,
      ok: !bad.has(file),
      listen: result?.ok === true ? result.config.listen.map(({ text }) => text) : [],
      ...(options.resolved === true && result?.ok === true
        ? { resolved: resolveOptions(result.settings) }
        : {}),
    }));
  const json = { ok: problems.length === 0, files, problems, warnings };
  const exitCode = json.ok ? EXIT.done : EXIT.usage;
  return { text: textOf(json), json, exitCode };
}

interface Candidate {
  readonly file: string;
  readonly name: string;
  /** Why the entry is refused before it is read. */
  readonly refusal?: Refusal;
}

interface Refusal {
  readonly message: string;
  readonly fix: string;
}

interface Checked extends Candidate {
  readonly isVassal: boolean;
  readonly result?: LoadResult;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

function candidatesOf(path: string): Candidate[] {
  try {
    if (!statSync(path).isDirectory()) return [candidateOf(path)];
    return readdirSync(path)
      .sort()
      .filter((entry) => vassalNameOf(entry) !== undefined)
      .map((entry) => candidateOf(join(path, entry)));
  } catch (error) {
    const reason = systemCode(error) === "ENOENT" ? "it does not exist" : String(systemCode(error));
    return [
      {
        file: path,
        name: basename(path),
        refusal: { message: `cannot check it: ${reason}`, fix: "correct the path" },
      },
    ];
  }
}

function candidateOf(file: string): Candidate {
  const name = vassalNameOf(basename(file));
  if (name === undefined) {
    const refusal = {
      message: "the emperor would not take this file for a vassal",
      fix: "name it *.yaml, *.yml, *.json or *.ini, and not as a hidden or temporary file",
    };
    return { file, name: basename(file), refusal };
  }
  const reason = vassalNameProblem(name);
  if (reason === undefined) return { file, name };
  return { file, name, refusal: { message: `the name of the file: ${reason}`, fix: "rename it" } };
}

function checkCandidate(candidate: Candidate): Checked {
  const { file, refusal } = candidate;
  if (refusal !== undefined) return refuse(candidate, refusal);
  const read = readBounded(file, { maxBytes: MAX_FILE_BYTES });
  if (!read.ok) {
    return refuse(candidate, {
      message: `cannot read the file: ${read.reason}`,
      fix: "make it a regular file of at most 1M that can be read",
    });
  }
  const result = loadVassalConfig({ file, bytes: read.bytes });
  return {
    ...candidate,
    isVassal: true,
    result,
    problems: result.ok ? [] : result.problems,
    warnings: result.warnings,
  };
}

function refuse(candidate: Candidate, refusal: Refusal): Checked {
  return {
    ...candidate,
    isVassal: false,
    problems: [problemOf(candidate.file, refusal)],
    warnings: [],
  };
}

function problemOf(file: string, refusal: Refusal): ConfigProblem {
  return { severity: "error", file, line: 0, column: 0, ...refusal };
}

/** Two files with one name: neither is guessed. */
function sameNames(checked: readonly Checked[]): ConfigProblem[] {
  const first = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const { file, name, isVassal } of checked) {
    const other = first.get(name);
    if (!isVassal || other === file) continue;
    if (other === undefined) first.set(name, file);
    else {
      problems.push(
        problemOf(file, {
          message: `'${name}' is also the name of ${other}`,
          fix: "rename one of the two files",
        }),
      );
    }
  }
  return problems;
}

/** Two vassals on one address. Files are compared by port first, so that a thousand of them are cheap. */
function sameAddresses(checked: readonly Checked[]): ConfigProblem[] {
  const byPlace = new Map<string, { file: string; name: string; address: Address }[]>();
  const problems: ConfigProblem[] = [];
  for (const { file, name, result } of checked) {
    if (result?.ok !== true) continue;
    const origin = result.settings.find(({ spec }) => spec.name === "listen")?.origin;
    for (const address of result.config.listen) {
      const place = address.kind === "tcp" ? String(address.port) : address.path;
      const others = byPlace.get(place) ?? [];
      const clash = others.find((one) => one.file !== file && addressesClash(one.address, address));
      if (clash !== undefined) {
        problems.push({
          ...problemOf(file, {
            message: `'${address.text}' is also served by '${clash.name}' (${clash.address.text})`,
            fix: "give one of the two another address",
          }),
          line: origin?.line ?? 0,
          column: origin?.column ?? 0,
          key: "listen",
          value: address.text,
        });
      }
      others.push({ file, name, address });
      byPlace.set(place, others);
    }
  }
  return problems;
}

type Address = Parameters<typeof addressesClash>[0];

function textOf(report: CheckReport): string {
  const lines = [...report.problems, ...report.warnings].map((problem) => formatProblem(problem));
  for (const { name, resolved, listen, ok } of report.files) {
    if (ok) lines.push(`${name}: valid, serves ${listen.join(", ")}`);
    if (resolved !== undefined) lines.push(resolvedText(resolved).trimEnd());
  }
  const bad = report.problems.length;
  if (report.files.length === 0 && bad === 0) lines.push("no vassal files found");
  if (bad > 0) lines.push(`${bad} ${bad === 1 ? "error" : "errors"}`);
  return `${lines.join("\n")}\n`;
}
