/** /dev/shm of a container whose IPC namespace others may join (`--ipc shareable`): a tmpfs on the host, because a
 *  mount inside one container can't be shown in another. */
import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import type { HostConfig } from '../../api/index.ts'
import { conflict } from '../../base/index.ts'
import { mountContext } from '../isolation/selinux.ts'
import { remapOf } from '../isolation/user-namespaces.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'

/** Mounts it when the container shares; no-op otherwise. */
export function mountSharedMemory(context: ContainerContext, record: ContainerRecord): void {
  const { id, hostConfig } = record
  if (hostConfig.IpcMode !== 'shareable') return
  const target = pathOf(context, id)
  mkdirSync(target, { recursive: true, mode: 0o700 })
  const size = hostConfig.ShmSize ?? context.settings.shmSizeBytes
  const { uid, gid } = remapOf(context, hostConfig)?.root ?? { uid: 0, gid: 0 }
  const flags = ['nosuid', 'noexec', 'nodev', 'mode=1777']
  const options = [...flags, `size=${size}`, `uid=${uid}`, `gid=${gid}`, ...mountContext(context, record)]
  context.mounts.mount({ type: 'tmpfs', source: 'shm', options }, target)
}

/** Takes it away; no error when there is none. Who still uses it keeps it. */
export function unmountSharedMemory(context: Uses<'mounts' | 'paths'>, id: string): void {
  const target = pathOf(context, id)
  if (!existsSync(target)) return
  context.mounts.unmount(target)
  rmdirSync(target)
}

/** Where a container's /dev/shm comes from: its own, its donor's, or undefined for one that nobody else sees.
 *  Throws `conflict` when the donor does not share. */
export function sharedMemoryOf(
  context: Uses<'containers' | 'paths'>,
  id: string,
  hostConfig: HostConfig,
): string | undefined {
  const mode = hostConfig.IpcMode ?? ''
  if (mode === 'shareable') return pathOf(context, id)
  if (!mode.startsWith('container:')) return undefined
  const donor = context.containers.get(mode.slice('container:'.length))
  if (donor.hostConfig.IpcMode === 'host') return '/dev/shm'
  if (donor.hostConfig.IpcMode !== 'shareable') {
    throw conflict(
      `can't join IPC of container ${donor.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    )
  }
  return pathOf(context, donor.id)
}

function pathOf(context: Uses<'paths'>, id: string): string {
  return join(context.paths.bundle(id), 'shm')
}
