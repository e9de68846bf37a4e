/** /dev/shm of a container whose IPC namespace others may join (`--ipc shareable`). It is a tmpfs on the host, because
 *  a mount inside one container can't be shown in another. */
import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import type { HostConfig } from '../../api/index.ts'
import { conflict } from '../../base/index.ts'
import { mountContext } from '../isolation/selinux.ts'
import { remapOf } from '../isolation/user-namespaces.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'

/** Mounts the tmpfs if the container shares its IPC namespace; does nothing otherwise. */
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

/** Unmounts the tmpfs, which lasts until its users end. No error if there is none. */
export function unmountSharedMemory(context: Uses<'mounts' | 'paths'>, id: string): void {
  const target = pathOf(context, id)
  if (!existsSync(target)) return
  context.mounts.unmount(target)
  rmdirSync(target)
}

/** The host path of a container's /dev/shm: its own, or that of the container whose IPC namespace it joins; undefined
 *  for a private one. Throws `conflict` if the other container does not share. */
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
