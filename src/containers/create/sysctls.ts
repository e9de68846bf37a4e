/** `--sysctl`: only what the kernel keeps per namespace, and only when the container has that namespace to itself.
 *  The runtimes check it too; here it fails the create, with one text whatever the runtime. Pure. */
import type { HostConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'

const ofIpc: ReadonlySet<string> = new Set(
  ['msgmax', 'msgmnb', 'msgmni', 'sem', 'shmall', 'shmmax', 'shmmni', 'shm_rmid_forced'].map(
    (name) => `kernel.${name}`,
  ),
)

/** Throws `invalidArgument` for a name that is not the container's to set. */
export function checkSysctls({ Sysctls: sysctls, IpcMode: ipc, NetworkMode: network }: HostConfig): void {
  for (const name of Object.keys(sysctls ?? {})) {
    const quoted = JSON.stringify(name)
    // Both are separators; a name of an interface may have the other one in it.
    const dotted = name.replaceAll('/', '.')
    if (!/^[\w:@./-]+$/.test(name)) throw invalidArgument(`sysctl ${quoted} is not in a separate kernel namespace`)
    if (ofIpc.has(dotted) || dotted.startsWith('fs.mqueue.')) {
      if (ipc === 'host') throw invalidArgument(`sysctl ${quoted} is not allowed in the hosts ipc namespace`)
    } else if (dotted.startsWith('net.')) {
      if (network === 'host') throw invalidArgument(`sysctl ${quoted} not allowed in host network namespace`)
    } else if (dotted === 'kernel.hostname') {
      throw invalidArgument(`sysctl ${quoted} is not allowed as it conflicts with the OCI "hostname" field`)
    } else if (dotted !== 'kernel.domainname') {
      throw invalidArgument(`sysctl ${quoted} is not in a separate kernel namespace`)
    }
  }
}
