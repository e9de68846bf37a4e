/** `:z` and `:Z`: gives host files and volumes the SELinux labels that let containers use them. Does nothing on a host
 *  without SELinux. https://docs.docker.com/engine/storage/bind-mounts/#configure-the-selinux-label */
import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { BerthError, errnoOf, invalidArgument, messageOf } from '../../base/index.ts'
import { sharedLabel } from '../../runtime/index.ts'
import { relabelTree, setXattr } from '../../sys/index.ts'
import type { ContainerMount, ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { labelsOf } from './selinux.ts'

/** Directories that the host needs: with a container's label the host would stop working. */
const never = new Set([
  ...['/', '/bin', '/boot', '/dev', '/etc', '/etc/passwd', '/etc/pki', '/etc/shadow', '/home', '/lib', '/lib64'],
  ...[
    '/media',
    '/opt',
    '/proc',
    '/root',
    '/run',
    '/sbin',
    '/srv',
    '/sys',
    '/tmp',
    '/usr',
    '/var',
    '/var/lib',
    '/var/log',
  ],
])

/** Labels the mounts of a record that ask for it. Volumes must already be mounted. Throws `invalidArgument` for a
 *  directory that the host needs, and `internal` if labels can't be written. */
export async function relabelMounts(context: Uses<'labels'>, record: ContainerRecord): Promise<void> {
  const label = labelsOf(context, record)?.mount ?? ''
  if (label === '') return
  for (const one of record.mounts) {
    const scope = scopeOf(one)
    if (scope === undefined) continue
    await relabel(one.source, scope === 'shared' ? sharedLabel(label) : label)
  }
}

/** Labels the files that are mounted over `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf`. `isShared`: other
 *  containers mount the same files. */
export function labelFiles(
  context: Uses<'labels'>,
  record: ContainerRecord,
  paths: readonly string[],
  isShared: boolean,
): void {
  const label = labelsOf(context, record)?.mount ?? ''
  if (label === '') return
  for (const path of paths) {
    try {
      setXattr(path, 'security.selinux', Buffer.from(isShared ? sharedLabel(label) : label))
    } catch (error) {
      if (errnoOf(error) !== 'ENOTSUP') throw error
    }
  }
}

/** Whether the mount's files are for all containers, for this one only, or stay as they are. An anonymous volume can't
 *  carry an option, so it is always labeled. */
function scopeOf({
  type,
  mode,
  relabel: inherited,
  anonymous,
  source,
}: ContainerMount): 'shared' | 'private' | undefined {
  if ((type !== 'bind' && type !== 'volume') || source === '') return undefined
  const options = [...mode.split(','), inherited]
  if (options.includes('z')) return 'shared'
  if (options.includes('Z')) return 'private'
  return type === 'volume' && anonymous === true ? 'shared' : undefined
}

async function relabel(source: string, label: string): Promise<void> {
  const path = realpathSync(source)
  if (never.has(path) || path === homedir()) {
    throw invalidArgument(`error setting label on mount source '${path}': SELinux relabeling of ${path} is not allowed`)
  }
  try {
    await relabelTree(path, label)
  } catch (cause) {
    throw new BerthError('internal', `error setting label on mount source '${path}': ${messageOf(cause)}`, { cause })
  }
}
