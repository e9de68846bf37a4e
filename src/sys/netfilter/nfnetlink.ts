/** What all requests to nftables through netlink have in common: message types, the family header, and transactions.
 *  https://docs.kernel.org/networking/netlink_spec/nftables.html */
import { type NetlinkRequest, netlinkFlags } from '../netlink/netlink-codec.ts'

/** The netlink protocol of nftables, for `NetlinkSocket.open`. */
export const NETLINK_NETFILTER = 12
/** Families of tables. */
export const nftFamilies = { inet: 1, ip: 2, ip6: 10 } as const
/** Size of the header before the attributes of a message. */
export const familyHeaderSize = 4

/** NFNL_SUBSYS_NFTABLES. */
const subsystem = 10
const batchBegin = 16
const batchEnd = 17

/** The type of a netlink message, from nftables' own number of it (NFT_MSG_…). */
export function nftMessageType(number: number): number {
  return (subsystem << 8) | number
}

/** `struct nfgenmsg`: the header before the attributes of a message. The resource number is in network order. */
export function familyHeader(family: number, resource = 0): Buffer {
  return Buffer.from([family, 0, resource >> 8, resource & 0xff])
}

/** Makes one transaction of the requests: the kernel applies all of them or none. */
export function transaction(requests: readonly NetlinkRequest[]): NetlinkRequest[] {
  return [batchMark(batchBegin), ...requests, batchMark(batchEnd)]
}

/** A number of 32 bits in network order, as nftables expects it. */
export function nftNumber(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function batchMark(type: number): NetlinkRequest {
  return { type, flags: netlinkFlags.request, body: familyHeader(0, subsystem), label: 'batch' }
}
