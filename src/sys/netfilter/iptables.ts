/** The iptables programs, to read and change rules that other programs made with them. Berth's own rules are never
 *  there. */
import { existsSync, readFileSync } from 'node:fs'
import { BerthError } from '../../base/index.ts'
import { runCommand } from '../processes/run-command.ts'
import { rememberOwnNftAddress } from './nft-identity.ts'

/** The two variants of the programs: on nftables, or on the kernel's older interface. */
export type IptablesFlavour = 'nft' | 'legacy'

const directories = ['/usr/sbin', '/sbin', '/usr/bin', '/usr/local/sbin'] as const
const timeoutMs = 20_000

/** Names of the older interface's loaded tables (`filter`, …) in the calling thread's network namespace; none when the
 *  kernel does not have that interface. */
export function legacyTables(family: 4 | 6): readonly string[] {
  try {
    return readFileSync(`/proc/thread-self/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`, 'utf8')
      .split('\n')
      .filter((name) => name !== '')
  } catch {
    // The kernel does not have the interface, or its module is not loaded.
    return []
  }
}

/** The rules of a chain in the table `filter`, as `iptables -S` prints them; undefined when the program or the chain
 *  does not exist. */
export async function listChain(flavour: IptablesFlavour, family: 4 | 6, chain: string): Promise<string[] | undefined> {
  const path = program(flavour, family, '')
  if (path === undefined) return undefined
  const options = { timeoutMs, onStart: rememberOwnNftAddress }
  const { code, stdout } = await runCommand(path, ['-w', '-S', chain], options)
  return code === 0 ? stdout.toString().trimEnd().split('\n') : undefined
}

/** Applies lines of `iptables-restore` to the table `filter` in one transaction, and keeps the existing rules. Rejects
 *  with `unavailable` when the program is not installed, and with `internal` and its message when it refuses. */
export async function changeFilterTable(
  flavour: IptablesFlavour,
  family: 4 | 6,
  lines: readonly string[],
): Promise<void> {
  const path = program(flavour, family, '-restore')
  if (path === undefined) throw new BerthError('unavailable', 'iptables is not installed')
  const { code, stderr } = await runCommand(path, ['-w', '--noflush'], {
    input: `*filter\n${lines.join('\n')}\nCOMMIT\n`,
    timeoutMs,
    onStart: rememberOwnNftAddress,
  })
  if (code !== 0) throw new BerthError('internal', `iptables-restore: ${stderr.trim()}`)
}

function program(flavour: IptablesFlavour, family: 4 | 6, suffix: string): string | undefined {
  const base = family === 4 ? 'iptables' : 'ip6tables'
  const names = [`${base}-${flavour}${suffix}`, `${base}${suffix}`]
  return names
    .flatMap((name) => directories.map((directory) => `${directory}/${name}`))
    .find((path) => existsSync(path))
}
