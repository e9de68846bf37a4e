/** Control groups that systemd makes: a transient scope for each container, in a slice. The OCI runtime asks systemd
 *  for a scope when its configuration has `slice:prefix:name` instead of a path (crun(1), `--cgroup-manager`). This
 *  module only computes where such a scope is in the tree (systemd.slice(5)). */
import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { invalidArgument } from '../../base/index.ts'
import { listCgroups, mainHierarchy } from './cgroup-tree.ts'

const suffix = '.slice'
const scopeSuffix = '.scope'
/** Characters that a unit's name may have (systemd.unit(5)). In a slice's name, a dash separates parent and child. */
const slicePattern = /^(?:-|[A-Za-z0-9:_.\\@]+(?:-[A-Za-z0-9:_.\\@]+)*)\.slice$/

/** True when systemd is this host's service manager (sd_booted(3)). */
export function isSystemdBooted(): boolean {
  return existsSync('/run/systemd/system')
}

/** True for `xxx.slice`, where `xxx` is a name that systemd accepts. */
export function isSliceName(text: string): boolean {
  return slicePattern.test(text)
}

/** Path of a slice below every hierarchy: `/a.slice/a-b.slice` for `a-b.slice`, `/` for `-.slice`. Throws
 *  `invalidArgument` for a name that is not a slice's. */
export function pathOfSlice(slice: string): string {
  if (!isSliceName(slice)) throw invalidArgument(`invalid slice name ${JSON.stringify(slice)}`)
  if (slice === '-.slice') return '/'
  const steps = slice.slice(0, -suffix.length).split('-')
  return posix.join('/', ...steps.map((_, index) => `${steps.slice(0, index + 1).join('-')}${suffix}`))
}

/** The `cgroupsPath` that makes the OCI runtime put a container into its own scope. */
export function formatScope(slice: string, prefix: string, name: string): string {
  return `${slice}:${prefix}:${name}`
}

/** Path of a container's group below every hierarchy, for a `cgroupsPath` of the OCI runtime: that path itself, or the
 *  path of the scope. */
export function pathOfRuntimeCgroup(cgroupsPath: string): string {
  const [slice, prefix, name] = cgroupsPath.split(':')
  if (cgroupsPath.startsWith('/') || slice === undefined || prefix === undefined || name === undefined)
    return cgroupsPath
  return pathOfScope(slice || 'system.slice', prefix, name)
}

/** The existing scopes in a slice that were made with `prefix`: name → path below every hierarchy. */
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

/** Path of the group that has the processes and limits of a container in the scope at `path`. crun makes a group below
 *  the scope, because the scope belongs to systemd; runc uses the scope itself. */
export function groupInScope(path: string): string {
  const below = posix.join(path, 'container')
  const hierarchy = mainHierarchy()
  return hierarchy !== undefined && existsSync(join(hierarchy.path, below)) ? below : path
}

function pathOfScope(slice: string, prefix: string, name: string): string {
  return posix.join(pathOfSlice(slice), `${prefix}-${name}${scopeSuffix}`)
}
