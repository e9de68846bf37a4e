/** firewalld(1), by its own program: which zone a device is in decides what becomes of its packets. */
import { existsSync } from 'node:fs'
import { BerthError } from '../../base/index.ts'
import { runCommand } from '../processes/run-command.ts'
import { listNftTables } from './netlink-nft-redirect.ts'

const programs = ['/usr/bin/firewall-cmd', '/bin/firewall-cmd', '/usr/local/bin/firewall-cmd'] as const
const timeoutMs = 20_000
/** firewall-cmd(1), "Exit codes". */
const notRunning = 252
/** The table of nftables that holds all rules of firewalld's. */
export const firewalldTable = 'firewalld'

/** True when this network namespace has firewalld's rules. */
export function isUnderFirewalld(): boolean {
  return listNftTables('inet').includes(firewalldTable)
}

/** Puts devices into a zone, until firewalld loads its configuration anew. Those that are in a zone already stay there.
 *  `bus` is the address of the host's message bus when it is not the usual one.
 *  Throws `unavailable` when firewalld does not run, `internal` with its words when it refuses. */
export async function addToFirewalldZone(
  zone: string,
  devices: readonly string[],
  bus: string | undefined,
): Promise<void> {
  await firewallCommand(bus, `--zone=${zone}`, ...devices.map((device) => `--add-interface=${device}`))
}

/** Takes devices out of a zone; it is no error when they are not in it. Throws as `addToFirewalldZone`. */
export async function removeFromFirewalldZone(
  zone: string,
  devices: readonly string[],
  bus: string | undefined,
): Promise<void> {
  await firewallCommand(bus, `--zone=${zone}`, ...devices.map((device) => `--remove-interface=${device}`))
}

async function firewallCommand(bus: string | undefined, ...args: string[]): Promise<void> {
  const program = programs.find((path) => existsSync(path))
  if (program === undefined) throw new BerthError('unavailable', 'firewall-cmd is not installed')
  const { code, stdout, stderr } = await runCommand(program, args, { timeoutMs, env: environment(bus) })
  const said = `${stdout}${stderr}`
  if (code === 0 || /ZONE_CONFLICT|ALREADY_ENABLED|NOT_ENABLED|UNKNOWN_INTERFACE/.test(said)) return
  throw new BerthError(code === notRunning ? 'unavailable' : 'internal', `firewall-cmd: ${said.trim()}`)
}

function environment(bus: string | undefined): Readonly<Record<string, string>> {
  return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...(bus === undefined ? {} : { DBUS_SYSTEM_BUS_ADDRESS: bus }) }
}
