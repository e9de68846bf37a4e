/** The iptables programs, for living beside rules that other programs made with them. Berth's own rules never go there. */
import { existsSync, readFileSync } from 'node:fs'
import { BerthError } from '../../base/index.ts'
import { runCommand } from '../processes/run-command.ts'
import { rememberOwnNftAddress } from './nft-identity.ts'

/** A set of programs: that on nftables, or the older one with an interface of its own in the kernel. */
export type IptablesFlavour = 'nft' | 'legacy'

const directories = ['/usr/sbin', '/sbin', '/usr/bin', '/usr/local/sbin'] as const
const timeoutMs = 20_000

/** Names of the older interface's tables that are loaded (`filter`, …); none where the kernel does not have it. */
export function legacyTables(family: 4 | 6): readonly string[] {
  try {
    return readFileSync(`/proc/thread-self/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`, 'utf8')
      .split('\n')
      .filter((name) => name !== '')
  } catch {
    // Not there, or its module is not loaded.
    return []
  }
}

/** The rules of a chain of the table `filter`, as `iptables -S` prints them; undefined without the program or chain. */
export async function listChain(flavour: IptablesFlavour, family: 4 | 6, chain: string): Promise<string[] | undefined> {
  const path = program(flavour, family, '')
  if (path === undefined) return undefined
  const options = { timeoutMs, onStart: rememberOwnNftAddress }
  const { code, stdout } = await runCommand(path, ['-w', '-S', chain], options)
  return code === 0 ? stdout.toString().trimEnd().split('\n') : undefined
}

/** Applies lines of `iptables-restore` to the table `filter` in one transaction, on top of what is there. Throws
 *  `unavailable` without the program, `internal` with its words when it refuses. */
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
