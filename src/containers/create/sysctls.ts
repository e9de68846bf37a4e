/** `--sysctl`: allowed are only settings that the kernel keeps per namespace, and only if the container has that
 *  namespace to itself. OCI runtimes check this too; the check here fails the create, with the same text for every
 *  runtime. Pure. */
import type { HostConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'

const ofIpc: ReadonlySet<string> = new Set(
  ['msgmax', 'msgmnb', 'msgmni', 'sem', 'shmall', 'shmmax', 'shmmni', 'shm_rmid_forced'].map(
    (name) => `kernel.${name}`,
  ),
)

/** Throws `invalidArgument` for a name that the container may not set. */
export function checkSysctls({ Sysctls: sysctls, IpcMode: ipc, NetworkMode: network }: HostConfig): void {
  for (const name of Object.keys(sysctls ?? {})) {
    const quoted = JSON.stringify(name)
    // Both `.` and `/` are separators; the name of a network interface may contain the other one.
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
