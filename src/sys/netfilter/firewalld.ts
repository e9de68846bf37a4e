/** Changes firewalld's zones through firewall-cmd(1). The zone of a device decides how firewalld treats its packets. */
import { existsSync } from 'node:fs'
import { BerthError } from '../../base/index.ts'
import { runCommand } from '../processes/run-command.ts'
import { listNftTables } from './netlink-nft-redirect.ts'

const programs = ['/usr/bin/firewall-cmd', '/bin/firewall-cmd', '/usr/local/bin/firewall-cmd'] as const
const timeoutMs = 20_000
/** The exit code when firewalld does not run (firewall-cmd(1), "Exit codes"). */
const notRunning = 252
/** The nftables table with all rules of firewalld. */
export const firewalldTable = 'firewalld'

/** True when the calling thread's network namespace has firewalld's rules. */
export function isUnderFirewalld(): boolean {
  return listNftTables('inet').includes(firewalldTable)
}

/** Adds devices to a zone until firewalld reloads its configuration. Devices that are already in a zone stay there.
 *  `bus`: address of the host's D-Bus, if it is not the default. Rejects with `unavailable` when firewalld does not run
 *  or firewall-cmd is not installed, and with `internal` and firewalld's message when it refuses. */
export async function addToFirewalldZone(
  zone: string,
  devices: readonly string[],
  bus: string | undefined,
): Promise<void> {
  await firewallCommand(bus, `--zone=${zone}`, ...devices.map((device) => `--add-interface=${device}`))
}

/** Removes devices from a zone. No error when they are not in it. Rejects as `addToFirewalldZone` does. */
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
