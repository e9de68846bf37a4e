/** rtnetlink: creates devices on top of another one (macvlan, ipvlan, VLAN), and dummies. Numbers are those of
 *  linux/if_link.h. */
import { attribute, type NetlinkRequest, nested, netlinkFlags } from './netlink-codec.ts'

/** The kind of the link. `parent` is the index of the lower device; a VLAN's `id` is its tag. */
export type StackedLink =
  | { readonly kind: 'macvlan'; readonly parent: number; readonly mode: 'bridge' | 'private' | 'vepa' | 'passthru' }
  | {
      readonly kind: 'ipvlan'
      readonly parent: number
      readonly mode: 'l2' | 'l3' | 'l3s'
      readonly flag: 'bridge' | 'private' | 'vepa'
    }
  | { readonly kind: 'vlan'; readonly parent: number; readonly id: number }
  | { readonly kind: 'dummy' }

const { ack, create, exclusive, request } = netlinkFlags
const newLink = 16
const ifla = { address: 1, name: 3, mtu: 4, link: 5, linkInfo: 18, namespaceFd: 28 } as const
const info = { kind: 1, data: 2 } as const
const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const
const ipvlanModes = { l2: 0, l3: 1, l3s: 2 } as const
const ipvlanFlags = { bridge: 0, private: 1, vepa: 2 } as const

/** A request that creates a link, which is down; with `namespaceFd`, in that network namespace. */
export function createStackedLink(
  link: StackedLink,
  options: {
    readonly name: string
    readonly mac?: string | undefined
    readonly mtu?: number | undefined
    readonly namespaceFd?: number
  },
): NetlinkRequest {
  const parts = [Buffer.alloc(16), attribute(ifla.name, options.name)]
  if (options.mac !== undefined && options.mac !== '') {
    parts.push(attribute(ifla.address, Buffer.from(options.mac.replaceAll(':', ''), 'hex')))
  }
  if (options.mtu !== undefined) parts.push(attribute(ifla.mtu, options.mtu))
  if (link.kind !== 'dummy') parts.push(attribute(ifla.link, link.parent))
  if (options.namespaceFd !== undefined) parts.push(attribute(ifla.namespaceFd, options.namespaceFd))
  parts.push(nested(ifla.linkInfo, attribute(info.kind, link.kind), nested(info.data, ...dataOf(link))))
  return {
    type: newLink,
    flags: request | ack | create | exclusive,
    label: `create ${link.kind} ${options.name}`,
    body: Buffer.concat(parts),
  }
}

function dataOf(link: StackedLink): Buffer[] {
  switch (link.kind) {
    case 'macvlan':
      return [attribute(1, macvlanModes[link.mode])]
    case 'ipvlan':
      return [attribute(1, uint16(ipvlanModes[link.mode])), attribute(2, uint16(ipvlanFlags[link.flag]))]
    case 'vlan':
      return [attribute(1, uint16(link.id))]
    case 'dummy':
      return []
    default:
      return link satisfies never
  }
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}
