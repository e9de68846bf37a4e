/** Control groups that systemd makes: a transient scope for a container, in a slice. The OCI runtime asks systemd for
 *  it when it is told `slice:prefix:name` in place of a path (crun(1), `--cgroup-manager`). Here are only the names:
 *  where such a scope is in the tree (systemd.slice(5)). */
import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { invalidArgument } from '../../base/index.ts'
import { listCgroups, mainHierarchy } from './cgroup-tree.ts'

const suffix = '.slice'
const scopeSuffix = '.scope'
/** What a unit's name may consist of (systemd.unit(5)), without the dash, which stands for the step to the parent. */
const slicePattern = /^(?:-|[A-Za-z0-9:_.\\@]+(?:-[A-Za-z0-9:_.\\@]+)*)\.slice$/

/** True when systemd is this host's service manager (sd_booted(3)). */
export function isSystemdBooted(): boolean {
  return existsSync('/run/systemd/system')
}

/** True for `xxx.slice`, where `xxx` is a name that systemd takes. */
export function isSliceName(text: string): boolean {
  return slicePattern.test(text)
}

/** Where a slice is: `a-b.slice` in `/a.slice/a-b.slice`, `-.slice` at the root. Throws `invalidArgument` for what is
 *  no name of a slice. */
export function pathOfSlice(slice: string): string {
  if (!isSliceName(slice)) throw invalidArgument(`invalid slice name ${JSON.stringify(slice)}`)
  if (slice === '-.slice') return '/'
  const steps = slice.slice(0, -suffix.length).split('-')
  return posix.join('/', ...steps.map((_, index) => `${steps.slice(0, index + 1).join('-')}${suffix}`))
}

/** What the runtime is told to put a container into a scope of its own. */
export function formatScope(slice: string, prefix: string, name: string): string {
  return `${slice}:${prefix}:${name}`
}

/** Where the runtime puts what it was told: the path itself, or that of the scope. Below every hierarchy. */
export function pathOfRuntimeCgroup(told: string): string {
  const [slice, prefix, name] = told.split(':')
  if (told.startsWith('/') || slice === undefined || prefix === undefined || name === undefined) return told
  return pathOfScope(slice || 'system.slice', prefix, name)
}

/** The scopes of a slice that a runtime made with `prefix`: name → path below every hierarchy. */
export function listScopes(slice: string, prefix: string): ReadonlyMap<string, string> {
  const place = pathOfSlice(slice)
  const scopes = new Map<string, string>()
  for (const group of place === '/' ? [] : listCgroups(place)) {
    if (!group.startsWith(`${prefix}-`) || !group.endsWith(scopeSuffix)) continue
    const name = group.slice(prefix.length + 1, -scopeSuffix.length)
    scopes.set(name, pathOfScope(slice, prefix, name))
  }
  return scopes
}

/** The group with the processes and limits of a container in the scope at `path`: crun makes one below the scope,
 *  which is systemd's, for them; runc uses the scope itself. */
export function groupInScope(path: string): string {
  const below = posix.join(path, 'container')
  const hierarchy = mainHierarchy()
  return hierarchy !== undefined && existsSync(join(hierarchy.path, below)) ? below : path
}

function pathOfScope(slice: string, prefix: string, name: string): string {
  return posix.join(pathOfSlice(slice), `${prefix}-${name}${scopeSuffix}`)
}
