/** Which variables of the launcher reach a vassal: an allow-list, so that no secret or loader setting leaks. Pure. */
import type { Identity } from "./identity.ts";

const ALLOWED = new Set([
  "PATH",
  "HOME",
  "LANG",
  "LANGUAGE",
  "TZ",
  "USER",
  "LOGNAME",
  "SHELL",
  "TMPDIR",
]);

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Environment of the vassal process: never TSGI_*, NODE_*, LD_* of the launcher, nor anything from a vassal file. */
export function processEnvironment(
  from: Readonly<Record<string, string | undefined>>,
  pass: readonly string[],
  identity?: Identity,
): Readonly<Record<string, string>> {
  const env: Record<string, string> = { PATH: DEFAULT_PATH };
  for (const [key, value] of Object.entries(from)) {
    const isAllowed = ALLOWED.has(key) || /^LC_[A-Z]+$/.test(key) || pass.includes(key);
    if (value !== undefined && isAllowed) env[key] = value;
  }
  if (identity !== undefined) Object.assign(env, identityVariables(env, identity));
  return env;
}

/** Environment of the application: the same, with env-files and then `env` of the vassal file on top. */
export function applicationEnvironment(
  base: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return { ...base, ...files, ...own };
}

function identityVariables(
  env: Readonly<Record<string, string>>,
  identity: Identity,
): Readonly<Record<string, string>> {
  return {
    HOME: identity.home ?? "/",
    USER: identity.user ?? String(identity.uid),
    LOGNAME: identity.user ?? String(identity.uid),
    ...(env["SHELL"] !== undefined && { SHELL: "/bin/sh" }),
  };
}
