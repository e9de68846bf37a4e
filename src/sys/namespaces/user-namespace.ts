/** User namespaces as descriptors, for ID-mapped mounts. user_namespaces(7), mount_setattr(2) */
import { openSync, writeFileSync } from 'node:fs'
import { internal, messageOf } from '../../base/index.ts'
import type { IdMappings, OciIdMapping } from '../../oci/index.ts'
import { FdReader } from '../files/fd-reader.ts'
import { closeFd, makePipe, writeFd } from '../native/fd.ts'
import { type SpawnedProcess, spawnProcess } from '../processes/spawn.ts'

const sigkill = 9

/** Creates a user namespace with these mappings and returns a descriptor of it, which the caller closes. The namespace
 *  lasts as long as the descriptor, or a mount that uses it. Throws `internal` when the kernel refuses. */
export async function openUserNamespace(mappings: IdMappings): Promise<number> {
  const [theirInput, input] = makePipe()
  const [output, theirOutput] = makePipe()
  const echoed = Promise.withResolvers<boolean>()
  const reader = FdReader.start(output, { onData: () => echoed.resolve(true), onEnd: () => echoed.resolve(false) })
  let child: SpawnedProcess | undefined
  try {
    // A child that echoes has entered its namespace.
    child = startEcho(theirInput, theirOutput)
    writeFd(input, Buffer.from('\n'))
    if (!(await echoed.promise)) throw internal('cannot make a user namespace: unshare(1) failed')
    writeFileSync(`/proc/${child.pid}/uid_map`, mapText(mappings.uids))
    writeFileSync(`/proc/${child.pid}/gid_map`, mapText(mappings.gids))
    return openSync(`/proc/${child.pid}/ns/user`, 'r')
  } finally {
    closeFd(input)
    child?.kill(sigkill)
    await child?.exited
    reader.close()
  }
}

/** Starts a process in a new user namespace that copies `input` to `output`. Closes both descriptors here. */
function startEcho(input: number, output: number): SpawnedProcess {
  const fds = new Map([
    [0, input],
    [1, output],
  ])
  try {
    return spawnProcess({ path: 'unshare', args: ['--user', 'cat'], fds })
  } catch (cause) {
    throw internal(`cannot make a user namespace: ${messageOf(cause)}`, { cause })
  } finally {
    closeFd(input)
    closeFd(output)
  }
}

/** Formats mappings for /proc/PID/uid_map. */
function mapText(mappings: readonly OciIdMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('')
}
