/** The user that a process runs as: resolves `user[:group]` with the image's own /etc/passwd and /etc/group.
 *  passwd(5), group(5) */
import { invalidArgument } from '../../base/index.ts'
import type { OciUser } from '../../oci/index.ts'

/** The text of /etc/passwd and /etc/group. An image may lack either. */
export interface UserFiles {
  readonly passwd?: string | undefined
  readonly group?: string | undefined
}

/** A user by its numbers. */
export interface ResolvedUser extends OciUser {
  readonly additionalGids: readonly number[]
  /** The home directory that passwd names, for `HOME`. */
  readonly home: string | undefined
}

interface PasswdEntry {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

const maxId = 2 ** 31 - 1

/** Resolves `spec` (`''`, `name`, `uid`, `name:group`, `uid:gid`) and the extra groups of `--group-add`. A number is
 *  always an id and needs no entry: with a line `1000:x:0:0:…` in passwd, `--user 1000` must not become root. A name
 *  needs an entry; without one the call throws `invalidArgument` with Docker's message. The home is that of the first
 *  entry with the user's id. */
export function resolveUser(spec: string, files: UserFiles, extraGroups: readonly string[] = []): ResolvedUser {
  const [userPart = '', groupPart = ''] = spec.split(':')
  const entry = findUser(userPart, files.passwd ?? '')
  const uid = entry?.uid ?? parseId(userPart) ?? 0
  let gid = entry?.gid ?? 0
  let groups: number[] = []
  if (groupPart !== '') gid = findGroup(groupPart, files.group ?? '')
  else if (entry !== undefined) groups = groupsOf(entry.name, files.group ?? '')
  const added = extraGroups.map((group) => findGroup(group, files.group ?? ''))
  // Docker lists the primary group among the additional ones too, so that dropping it is visible.
  const additionalGids = [...new Set([gid, ...groups, ...added])]
  const home = entry === undefined ? undefined : findUser(String(uid), files.passwd ?? '')?.home
  return { uid, gid, additionalGids, home }
}

function findUser(wanted: string, passwd: string): PasswdEntry | undefined {
  const id = parseId(wanted === '' ? '0' : wanted)
  for (const line of passwd.split('\n')) {
    const [name = '', , uidText = '', gidText = '', , home = ''] = line.trim().split(':')
    const uid = idInFile(uidText)
    if (name === '' || name.startsWith('#') || uid === undefined) continue
    if (id === undefined ? name === wanted : uid === id) return { name, uid, gid: idInFile(gidText) ?? 0, home }
  }
  if (id === undefined) {
    throw invalidArgument(`unable to find user ${wanted}: no matching entries in passwd file`)
  }
  return undefined
}

function findGroup(wanted: string, group: string): number {
  const id = parseId(wanted)
  if (id !== undefined) return id
  for (const [name, gid] of groupLines(group)) {
    if (name === wanted) return gid
  }
  throw invalidArgument(`unable to find group ${wanted}: no matching entries in group file`)
}

function groupsOf(user: string, group: string): number[] {
  return groupLines(group)
    .filter(([, , members]) => members.includes(user))
    .map(([, gid]) => gid)
}

function groupLines(group: string): (readonly [name: string, gid: number, members: readonly string[]])[] {
  return group.split('\n').flatMap((line) => {
    const [name = '', , gidText = '', members = ''] = line.trim().split(':')
    const gid = idInFile(gidText)
    return name === '' || gid === undefined ? [] : [[name, gid, members.split(',')] as const]
  })
}

/** Parses an id in the image's files; undefined when it is not valid, so that its line is ignored. */
function idInFile(text: string): number | undefined {
  const id = Number(text)
  return /^\d+$/.test(text) && id <= maxId ? id : undefined
}

function parseId(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined
  const id = Number(text)
  if (id < 0 || id > maxId) throw invalidArgument('uids and gids must be in range 0-2147483647')
  return id
}
