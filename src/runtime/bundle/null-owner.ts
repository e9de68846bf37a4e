/** crun gives the standard streams of a container to its user, and so the /dev/null that stands for an absent one: the
 *  container's own, or the host's where that is shown there (`-v /dev:/dev`, and always to mapped users, who can make no
 *  devices). It goes back to root. */
import { chownSync, closeSync, constants, fstatSync, openSync } from 'node:fs'
import { errnoOf } from '../../base/index.ts'
import type { OciSpec } from '../../oci/index.ts'
import { oPath, openInRoot } from '../../sys/index.ts'

/** 1:3, as stat(2) has it. */
const nullDevice = 0x103

/** To be called before the container's program runs. Does nothing where /dev/null is no null device of that user. */
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
    // It has ended, or has no such file, or one that is read-only.
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
