/** Names of users and groups to numbers, from the text of /etc/passwd and /etc/group. Pure. */
import { TsgiError } from "../core/errors.ts";

/** Who a vassal runs as. `user` is set when the user database knows the uid. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly home?: string;
}

export interface IdentityQuery {
  readonly vassal: string;
  readonly user?: string;
  readonly group?: string;
  /** Of this process. */
  readonly uid: number;
  readonly gid: number;
  readonly passwd: string;
  readonly groups: string;
}

/** The largest id that the kernel takes; -1 as unsigned means "unchanged" and must never get through. */
const MAX_ID = 4_294_967_294;

/** The identity to change to, or undefined when the vassal runs as this process does. Throws TSGI_SPAWN_FAILED. */
export function resolveIdentity(query: IdentityQuery): Identity | undefined {
  if (query.user === undefined && query.group === undefined) return undefined;
  const account = query.user === undefined ? undefined : findUser(query, query.user);
  const uid = account?.uid ?? query.uid;
  const gid =
    query.group === undefined ? (account?.gid ?? query.gid) : findGroup(query, query.group);
  if (uid === query.uid && gid === query.gid) return undefined;
  if (query.uid !== 0) {
    const wanted = query.user === undefined ? `group "${query.group}"` : `user "${query.user}"`;
    throw problem(query, `only root can change to ${wanted}, this runs with uid ${query.uid}`);
  }
  return {
    uid,
    gid,
    ...(account?.user !== undefined && { user: account.user }),
    ...(account?.home !== undefined && { home: account.home }),
  };
}

function findUser(query: IdentityQuery, user: string): Identity {
  const rows = rowsOf(query.passwd);
  const row =
    rows.find((fields) => fields[0] === user) ?? rows.find((fields) => fields[2] === user);
  if (row !== undefined) {
    return { uid: Number(row[2]), gid: Number(row[3]), user: row[0] ?? user, home: row[5] ?? "/" };
  }
  const id = numericId(user);
  if (id === undefined) {
    throw problem(query, `there is no user "${user}"; create it with: adduser --system ${user}`);
  }
  if (query.group === undefined) {
    throw problem(query, `uid ${id} has no entry in /etc/passwd, so "group" must be set too`);
  }
  return { uid: id, gid: query.gid };
}

function findGroup(query: IdentityQuery, group: string): number {
  const row = rowsOf(query.groups).find((fields) => fields[0] === group);
  const id = row === undefined ? numericId(group) : Number(row[2]);
  if (id === undefined) {
    throw problem(
      query,
      `there is no group "${group}"; create it with: addgroup --system ${group}`,
    );
  }
  return id;
}

/** Lines with a name and an id; anything else (comments, NIS marks) is no account. */
function rowsOf(text: string): readonly (readonly string[])[] {
  return text
    .split("\n")
    .map((line) => line.split(":"))
    .filter(([name, , id]) => name !== "" && numericId(id ?? "") !== undefined);
}

/** Plain decimal only: no hex, no sign, no leading zero. */
function numericId(text: string): number | undefined {
  return /^(0|[1-9]\d{0,9})$/.test(text) && Number(text) <= MAX_ID ? Number(text) : undefined;
}

function problem(query: IdentityQuery, state: string): TsgiError {
  return new TsgiError("TSGI_SPAWN_FAILED", `Cannot start vassal "${query.vassal}": ${state}`);
}
