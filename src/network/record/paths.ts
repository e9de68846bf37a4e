/** The names of everything that this folder makes on the host. Devices and tables carry the daemon's tag, in the name
 *  or in the alias, so that each daemon knows its own.
 *
 *    <exec-root>/netns/<12 digits of the sandbox id>    a container's network namespace (bind mount)
 *    berth0, berth1, …                                  the default bridge; its alias is `berth:<tag>`
 *    br-<12 digits of the network id>                   a user's bridge without a name; alias `berth:<tag>:<12 digits>`
 *    dm-<12 digits of the network id>                   parent of a macvlan or ipvlan network without one; same alias
 *    bv<tag><8 digits of the endpoint id>               host's end of a container's veth pair (15 characters)
 *    bh<tag>a, bh<tag>b                                 the pair of devices of `firewall.published = "host-rules"`
 *    table ip berth-<tag>, table ip6 berth-<tag>        nftables
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** The daemon's tag: five hexadecimal digits, always the same for the same `instance`. */
export function instanceTag(instance: string): string {
  return createHash('sha256').update(instance).digest('hex').slice(0, 5)
}

export function netnsPath(stateDir: string, sandboxId: string): string {
  return join(stateDir, sandboxId.slice(0, 12))
}

export function bridgeAlias(tag: string): string {
  return `berth:${tag}`
}

/** The alias of a device that was made for a network. By it, the next boot finds what a crash left. */
export function networkAlias(tag: string, networkId: string): string {
  return `${bridgeAlias(tag)}:${networkId.slice(0, 12)}`
}

export function bridgeName(networkId: string): string {
  return `br-${networkId.slice(0, 12)}`
}

export function dummyName(networkId: string): string {
  return `dm-${networkId.slice(0, 12)}`
}

export function vethPrefix(tag: string): string {
  return `bv${tag}`
}

export function vethName(tag: string, endpointId: string): string {
  return vethPrefix(tag) + endpointId.slice(0, 8)
}

export function admissionName(tag: string, end: 'a' | 'b'): string {
  return `bh${tag}${end}`
}

export function tableName(tag: string): string {
  return `berth-${tag}`
}
