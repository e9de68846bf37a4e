/** Options of the macvlan and ipvlan drivers, by Docker's names. Pure.
 *  https://docs.docker.com/engine/network/drivers/macvlan/ and …/ipvlan/ */
import { invalidArgument } from '../../base/index.ts'
import { bridgeOption, deviceName, parseMtu } from './bridge-options.ts'

export type MacvlanMode = 'bridge' | 'private' | 'vepa' | 'passthru'
export type IpvlanMode = 'l2' | 'l3' | 'l3s'
export type IpvlanFlag = 'bridge' | 'private' | 'vepa'

/** The device of the host that is the parent of a macvlan or ipvlan network. */
export interface ParentSettings {
  readonly device: string
  /** The engine made the device and removes it with the network: a VLAN device, or a dummy if no parent was named. */
  readonly own: boolean
  /** Lower device and number of the VLAN, if the device is named like one (`eth0.10`). */
  readonly vlan?: { readonly lower: string; readonly id: number }
  readonly mode: MacvlanMode | IpvlanMode
  readonly flag: IpvlanFlag
  readonly mtu: number | undefined
}

const macvlanModes: readonly string[] = ['bridge', 'private', 'vepa', 'passthru']
const ipvlanModes: readonly string[] = ['l2', 'l3', 'l3s']
const ipvlanFlags: readonly string[] = ['bridge', 'private', 'vepa']

/** Reads the options of a network. `dummy` is the name of the device if no parent is given. Throws
 *  `invalidArgument`. */
export function parseParentOptions(
  driver: 'macvlan' | 'ipvlan',
  options: Readonly<Record<string, string>>,
  dummy: string,
): ParentSettings {
  const parent = options.parent ?? ''
  if (parent === 'lo') throw invalidArgument(`loopback interface is not a valid ${driver} parent link`)
  const device = parent === '' ? dummy : deviceName(parent)
  return {
    device,
    own: parent === '',
    ...vlanOf(device),
    mode: driver === 'macvlan' ? macvlanMode(options.macvlan_mode) : ipvlanMode(options.ipvlan_mode),
    flag: ipvlanFlag(options.ipvlan_flag),
    mtu: parseMtu(options[bridgeOption.mtu]),
  }
}

/** `eth0.10` means VLAN 10 on eth0. */
function vlanOf(device: string): Pick<ParentSettings, 'vlan'> {
  const [, lower = '', id = ''] = /^(.+)\.(\d+)$/.exec(device) ?? []
  if (lower === '') return {}
  const number = Number(id)
  return number >= 1 && number <= 4094 ? { vlan: { lower, id: number } } : {}
}

function macvlanMode(text: string | undefined): MacvlanMode {
  if (text === undefined || text === '') return 'bridge'
  if (macvlanModes.includes(text)) return text as MacvlanMode
  throw invalidArgument(`requested macvlan mode '${text}' is not valid, 'bridge' mode is the macvlan driver default`)
}

function ipvlanMode(text: string | undefined): IpvlanMode {
  if (text === undefined || text === '') return 'l2'
  if (ipvlanModes.includes(text)) return text as IpvlanMode
  throw invalidArgument(`requested ipvlan mode '${text}' is not valid, 'l2' mode is the ipvlan driver default`)
}

function ipvlanFlag(text: string | undefined): IpvlanFlag {
  if (text === undefined || text === '') return 'bridge'
  if (ipvlanFlags.includes(text)) return text as IpvlanFlag
  throw invalidArgument(`requested ipvlan flag '${text}' is not valid, 'bridge' flag is the ipvlan driver default`)
}
