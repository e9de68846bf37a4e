/** Being told when somebody else takes something out of an nftables table (`nft flush ruleset`, a firewall's reload).
 *  The kernel sends a notification for each change to the sockets of a multicast group.
 *  https://docs.kernel.org/networking/netlink_spec/nftables.html */
import { errno } from '../native/ffi.ts'
import { FdPoll } from '../native/poll.ts'
import { attributeText, parseAttributes } from '../netlink/netlink-codec.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import { familyHeaderSize, NETLINK_NETFILTER, nftMessageType } from './nfnetlink.ts'
import { isOwnNftAddress } from './nft-identity.ts'

/** Ends the watch. Idempotent. */
export interface NftWatch {
  close(): void
}

const nftablesGroup = 7
/** Removal of a table, a chain, a rule, a set or elements. The table's name is attribute 1 of each. */
const removals: ReadonlySet<number> = new Set([2, 5, 8, 11, 14].map(nftMessageType))
/** A table or chain that is new or has another policy. */
const additions: ReadonlySet<number> = new Set([0, 3].map(nftMessageType))

/** Calls back after each change that took something out of `table` (of whatever family) and was not made by this
 *  process; with `additions`, also after a table or chain was added or changed; also when notifications were lost.
 *  Throws the kernel's error where it has no nftables. */
export function watchNftTable(
  table: string,
  onChange: () => void,
  options: { readonly additions?: boolean } = {},
): NftWatch {
  const kinds = options.additions === true ? removals.union(additions) : removals
  const socket = NetlinkSocket.open(NETLINK_NETFILTER, { group: nftablesGroup })
  const poll = FdPoll.start(
    socket.fd,
    { read: true },
    () => {
      if (hasChange(socket, table, kinds)) onChange()
    },
    { unref: true },
  )
  let open = true
  return {
    close() {
      if (!open) return
      open = false
      poll.stop()
      socket.close()
    },
  }
}

/** Reads everything that waits. */
function hasChange(socket: NetlinkSocket, table: string, kinds: ReadonlySet<number>): boolean {
  let change = false
  for (;;) {
    const messages = socket.receiveNow()
    if (messages === -errno.EAGAIN) return change
    // ENOBUFS: the kernel had more to say than the socket could hold.
    if (typeof messages === 'number') change = true
    else {
      change ||= messages.some(
        ({ type, sender, body }) =>
          kinds.has(type) &&
          !isOwnNftAddress(sender) &&
          attributeText(parseAttributes(body, familyHeaderSize).get(1)) === table,
      )
    }
  }
}
