/** Programs that only some tests need: a test that misses one is skipped by name, with the command that installs it. */
import { accessSync, constants } from "node:fs";
import { delimiter } from "node:path";

/** Debian package of each program that a test may ask for. */
const PACKAGES: Readonly<Record<string, string>> = {
  wrk: "wrk",
  nginx: "nginx-light",
  uwsgi: "uwsgi-core uwsgi-plugin-python3 uwsgi-emperor",
  gunicorn: "gunicorn",
  python3: "python3",
  go: "golang-go",
  rustc: "rustc",
  curl: "curl",
  "systemd-analyze": "systemd",
};

export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => `${folder}/${name}`).find((path) => isExecutable(path));
}

/** For `test(title, { skip: missing("wrk") }, …)`: false, or what to install. */
export function missing(...names: readonly string[]): false | string {
  const absent = names.filter((name) => findProgram(name) === undefined);
  if (absent.length === 0) return false;
  const packages = absent.map((name) => PACKAGES[name] ?? name).join(" ");
  return `needs ${absent.join(", ")}: apt-get install ${packages}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
