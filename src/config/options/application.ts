/** Options of the application itself: what it is, where it is, and what it sees. */
import { vassalOption } from "../option.ts";
import { command } from "../types/command.ts";
import { environment } from "../types/environment.ts";
import { listOf } from "../types/lists.ts";
import { path } from "../types/path.ts";
import { pythonTarget } from "../types/python-target.ts";
import { boolean, choice, text } from "../types/scalars.ts";
import type { ExecSocket } from "../vassal-config.ts";

const family = "application";
const APP_KEY = "A vassal has exactly one application key: python, node, static or exec.";

export const python = vassalOption({
  name: "python",
  family,
  type: pythonTarget("any"),
  defaultText: "none",
  doc: `A Python application (WSGI): a module with its callable, or a file. A file is relative to 'directory'. Without a callable, 'application' and then 'app' is taken. It runs in the Python interpreter of the machine or of 'virtualenv'. ${APP_KEY}`,
  example: "python: blog.wsgi:application",
  aliases: [
    { name: "module" },
    { name: "wsgi" },
    { name: "wsgi-file", note: "the path of a file", type: pythonTarget("file") },
  ],
});

export const callable = vassalOption({
  name: "callable",
  family,
  type: text({
    label: "the name of a callable such as application",
    word: "name",
    maxLength: 1000,
    pattern: /^[^\W\d][\w.]*(\(\))?$/u,
  }),
  defaultText: "application, then app",
  doc: "The callable inside the Python module or file, where 'python' does not name it after a colon. Naming it there is shorter: blog.wsgi:application.",
  example: "callable: application",
});

export const node = vassalOption({
  name: "node",
  family,
  type: path({ against: "directory", label: "the path of a JavaScript or TypeScript module" }),
  defaultText: "none",
  doc: `A Node application: a module whose default export is a fetch handler or a (request, response) listener, or an unchanged program that calls listen(). The path is relative to 'directory'. ${APP_KEY}`,
  example: "node: server.js",
});

export const staticRoot = vassalOption({
  name: "static",
  family,
  type: path({ against: "directory", label: "the path of a folder" }),
  defaultText: "none",
  doc: `A folder of files to serve, relative to 'directory'. Further settings go into a mapping with 'root': static: { root: public, fallback: index.html }. ${APP_KEY}`,
  example: "static: /srv/www",
  aliases: [{ name: "static.root", note: "the mapping form" }, { name: "check-static" }],
});

export const exec = vassalOption({
  name: "exec",
  family,
  type: command,
  defaultText: "none",
  doc: `Any program that serves HTTP by itself, such as a Go or Rust binary: a list of words, or a text that is split at white space and quotes. No shell is involved, so nothing is expanded. A program with a slash in it is relative to 'directory', others are looked up on the PATH. 'exec-socket' says how it gets its socket. ${APP_KEY}`,
  example: "exec: ./server --quiet",
});

export const execSocket = vassalOption<ExecSocket>({
  name: "exec-socket",
  family,
  only: ["exec"],
  type: choice(["listen-fds", "port"]),
  default: "port",
  doc: "How a program of 'exec' learns where to listen. 'port': a free loopback port in $PORT, which it binds itself (most programs). 'listen-fds': an open socket as descriptor 3, announced by $LISTEN_FDS as systemd does it, so that not even a restart of the program refuses a connection.",
  example: "exec-socket: listen-fds",
});

export const directory = vassalOption({
  name: "directory",
  family,
  type: path({ against: "file", label: "the path of a folder" }),
  defaultText: "the folder of an absolute python or node path, else that of the vassal file",
  doc: "The folder the application runs in. Symlinks are resolved once per generation, so a 'current' link can be re-pointed and the running generation keeps its release. A relative path starts at the folder of the vassal file.",
  example: "directory: /srv/blog/current",
  aliases: [
    { name: "chdir" },
    { name: "chdir2", note: "uWSGI changes there after loading; here it is the same folder" },
  ],
});

export const env = vassalOption({
  name: "env",
  family,
  secret: true,
  type: environment,
  default: {},
  defaultText: "nothing beyond PATH, HOME, LANG and the like",
  doc: "Environment variables of the application, as a mapping or as a list of NAME=value. Values may be text, numbers, true or false; they are passed on as written. They win over those of 'env-file'.",
  example: "env: { DJANGO_SETTINGS_MODULE: blog.settings }",
});

export const envFile = vassalOption({
  name: "env-file",
  family,
  type: listOf(path({ against: "file", label: "the path of a file" })),
  default: [],
  defaultText: "none",
  doc: "Files of NAME=value lines that are read again at each deploy; good for secrets that only the emperor may read. Later files win over earlier ones, and 'env' wins over all. A relative path starts at the folder of the vassal file.",
  example: "env-file: /etc/blog/secrets.env",
});

export const interpreter = vassalOption({
  name: "interpreter",
  family,
  only: ["python", "node"],
  type: path({ against: "directory", label: "the name or path of a program" }),
  defaultText: "python3, or the Node that runs the emperor",
  doc: "The program that runs the application instead of the usual interpreter of its language: a name on the PATH, or a path. Use it to pin a release such as python3.13.",
  example: "interpreter: python3.13",
  aliases: [{ name: "binary-path" }, { name: "py-programname" }],
});

export const virtualenv = vassalOption({
  name: "virtualenv",
  family,
  only: ["python"],
  type: path({ against: "directory", label: "the path of a virtual environment" }),
  defaultText: "none",
  doc: "The Python virtual environment of the application: its interpreter and packages are used. The path is relative to 'directory', so each release may bring its own.",
  example: "virtualenv: venv",
  aliases: [{ name: "home" }, { name: "venv" }, { name: "pyhome" }],
});

export const pythonpath = vassalOption({
  name: "pythonpath",
  family,
  only: ["python"],
  type: listOf(path({ against: "directory", label: "the path of a folder" })),
  default: [],
  defaultText: "only 'directory'",
  doc: "Further folders where Python looks for modules, before its own. Each is relative to 'directory', which is always searched itself.",
  example: "pythonpath: [src, vendor]",
  aliases: [{ name: "pp" }, { name: "python-path" }],
});

export const preload = vassalOption({
  name: "preload",
  family,
  only: ["python"],
  type: boolean(),
  default: true,
  doc: "Python only. true loads the application once and forks the workers from it, which saves memory and makes a new worker cheap. false loads it in every worker by itself, which some libraries need that open connections or start threads while they load.",
  example: "preload: false",
  aliases: [
    {
      name: "lazy-apps",
      note: "the opposite: lazy-apps = true is preload = false",
      type: boolean({ inverted: true }),
    },
    { name: "lazy", note: "the opposite, as lazy-apps", type: boolean({ inverted: true }) },
  ],
});
