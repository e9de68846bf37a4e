/** Gives /dev/null back to root. crun makes the container's user the owner of its standard streams, and a stream that
 *  is not connected is /dev/null. That may be the host's device: with `-v /dev:/dev`, and always with user namespaces,
 *  in which no devices can be created. */
import { chownSync, closeSync, constants, fstatSync, openSync } from 'node:fs'
import { errnoOf } from '../../base/index.ts'
import type { OciSpec } from '../../oci/index.ts'
import { oPath, openInRoot } from '../../sys/index.ts'

/** Device 1:3, in the encoding of stat(2). */
const nullDevice = 0x103

/** Call this before the container's program runs. `pid`: the container's first process. Does nothing unless the
 *  container's /dev/null is the null device and belongs to the container's user. */
export function restoreNullOwner(pid: number, { process, linux }: OciSpec): void {
  const { uid, gid } = process.user
  if (process.terminal || (linux.uidMappings === undefined && uid === 0 && gid === 0)) return
  const owner = { uid: hostId(linux.uidMappings, uid), gid: hostId(linux.gidMappings, gid) }
  let root: number | undefined
  let fd: number | undefined
  try {
    root = openSync(`/proc/${pid}/root`, oPath | constants.O_DIRECTORY)
    fd = openInRoot(root, '/dev/null', oPath)
    const stat = fstatSync(fd)
    if (!stat.isCharacterDevice() || stat.rdev !== nullDevice) return
    if (stat.uid !== owner.uid || stat.gid !== owner.gid) return
    chownSync(`/proc/self/fd/${fd}`, 0, 0)
  } catch (error) {
    // The process has ended, or there is no such file, or it is read-only.
    if (errnoOf(error) === undefined) throw error
  } finally {
    if (fd !== undefined) closeSync(fd)
    if (root !== undefined) closeSync(root)
  }
}

type Mappings = NonNullable<OciSpec['linux']['uidMappings']>

function hostId(mappings: Mappings | undefined, id: number): number {
  const mapping = mappings?.find(({ containerID, size }) => id >= containerID && id < containerID + size)
  return mapping === undefined ? id : mapping.hostID + id - mapping.containerID
}
