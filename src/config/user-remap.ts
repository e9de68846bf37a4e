/** `userns-remap`: the subordinate ids that the root user and the other users of all containers have on the host. Pure.
 *  subuid(5), subgid(5); https://docs.docker.com/engine/security/userns-remap/ */
import { invalidArgument } from '../base/index.ts'
import type { IdMappings, OciIdMapping } from '../oci/index.ts'

/** The texts of the host's files; '' for a file that does not exist. */
export interface AccountFiles {
  readonly passwd: string
  readonly group: string
  readonly subuid: string
  readonly subgid: string
}

/** The user and group whose subordinate ids containers get. */
export interface UserRemap {
  readonly user: string
  readonly group: string
  readonly mappings: IdMappings
  /** The ids on the host of a container's root user. */
  readonly root: { readonly uid: number; readonly gid: number }
}

/** The user that `default` means. The daemon creates it. */
export const defaultRemapUser = 'berthremap'

/** Reads `USER[:GROUP]` or `UID[:GID]`. Undefined for root, because nothing is then mapped.
 *  Throws `invalidArgument`, in Docker's words, for accounts that do not exist or have no subordinate ids. */
export function parseUserRemap(text: string, files: AccountFiles): UserRemap | undefined {
  const parts = text.split(':')
  const [userText = '', groupText = ''] = parts
  if (parts.length > 2 || userText === '' || (parts.length === 2 && groupText === '')) {
    throw invalidArgument(`Invalid user/group specification in --userns-remap: ${JSON.stringify(text)}`)
  }
  const user = userOf(userText, files.passwd)
  const group = groupText === '' ? groupOf(user.name, files.group, 'groupname') : groupOf(groupText, files.group)
  if (user.name === 'root') return undefined
  const uids = rangesOf(user, files.subuid, 'subuid', 'user')
  const gids = rangesOf(group, files.subgid, 'subgid', 'group')
  return {
    user: user.name,
    group: group.name,
    mappings: { uids, gids },
    root: { uid: uids[0]?.hostID ?? 0, gid: gids[0]?.hostID ?? 0 },
  }
}

/** Where a new range of `size` ids can begin: behind all existing ranges, and at 100000 or more. */
export function freeSubordinateStart(...texts: readonly string[]): number {
  const ends = texts.flatMap((text) => entriesOf(text)).map(([, start, count]) => Number(start) + Number(count))
  return Math.max(100_000, ...ends.filter((end) => Number.isSafeInteger(end)))
}

/** True when the account has subordinate ids. */
export function hasSubordinateIds(name: string, text: string): boolean {
  return entriesOf(text).some(([owner]) => owner === name)
}

interface Account {
  readonly name: string
  readonly id: string
}

function userOf(wanted: string, passwd: string): Account {
  const found = accountOf(wanted, passwd)
  if (found !== undefined) return found
  throw invalidArgument(
    /^\d+$/.test(wanted)
      ? `Uid ${wanted} has no entry in /etc/passwd: unable to find entry "${wanted}" in passwd database`
      : `Error during uid lookup for "${wanted}": unable to find entry "${wanted}" in passwd database`,
  )
}

function groupOf(wanted: string, group: string, what = /^\d+$/.test(wanted) ? 'gid' : 'groupname'): Account {
  const found = accountOf(wanted, group)
  if (found !== undefined) return found
  throw invalidArgument(
    `Error during ${what} lookup for "${wanted}": unable to find entry "${wanted}" in group database`,
  )
}

function accountOf(wanted: string, text: string): Account | undefined {
  const isNumber = /^\d+$/.test(wanted)
  const found = entriesOf(text).find(([name, , id]) => (isNumber ? Number(id) === Number(wanted) : name === wanted))
  return found === undefined ? undefined : { name: found[0] ?? '', id: found[2] ?? '' }
}

/** All ranges of an account. Inside, they follow one another from 0 on. */
function rangesOf({ name, id }: Account, text: string, file: string, kind: string): OciIdMapping[] {
  const ranges: OciIdMapping[] = []
  let next = 0
  for (const [owner, start, count] of entriesOf(text)) {
    if (owner !== name && owner !== id) continue
    const [hostID, size] = [Number(start), Number(count)]
    if (!isId(start, hostID) || !isId(count, size) || size === 0 || hostID === 0) {
      throw invalidArgument(`/etc/${file}: bad range "${owner}:${start}:${count}"`)
    }
    ranges.push({ containerID: next, hostID, size })
    next += size
  }
  if (ranges.length === 0) {
    throw invalidArgument(`Can't create ID mappings: no ${file} ranges found for ${kind} "${name}"`)
  }
  // The kernel allows no more lines in a map (user_namespaces(7)).
  if (ranges.length > 340) throw invalidArgument(`/etc/${file}: more than 340 ranges for ${kind} "${name}"`)
  return ranges
}

function isId(text: string | undefined, value: number): boolean {
  return /^\d+$/.test(text ?? '') && value <= 0xffff_fffe
}

function entriesOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.trim().split(':'))
}
