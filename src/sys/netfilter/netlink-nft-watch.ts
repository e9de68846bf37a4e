/** Reports when other programs remove parts of an nftables table (`nft flush ruleset`, a reload of a firewall). The
 *  kernel sends a notification of each change to the sockets of a multicast group.
 *  https://docs.kernel.org/networking/netlink_spec/nftables.html */
import { errno } from '../native/ffi.ts'
import { FdPoll } from '../native/poll.ts'
import { attributeText, parseAttributes } from '../netlink/netlink-codec.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import { familyHeaderSize, NETLINK_NETFILTER, nftMessageType } from './nfnetlink.ts'
import { isOwnNftAddress } from './nft-identity.ts'

/** A watch that `watchNftTable` started. */
export interface NftWatch {
  /** Ends the watch. Idempotent. */
  close(): void
}

const nftablesGroup = 7
/** Removals of tables, chains, rules, sets and elements. The table's name is attribute 1 of each message. */
const removals: ReadonlySet<number> = new Set([2, 5, 8, 11, 14].map(nftMessageType))
/** New or changed tables and chains. */
const additions: ReadonlySet<number> = new Set([0, 3].map(nftMessageType))

/** Options of `watchNftTable`. */
export interface NftWatchOptions {
  /** Also report that a table or chain was added or changed. */
  readonly additions?: boolean
  /** Also report changes by this process. Needed in a container's namespace: a process there can have the same netlink
   *  address as a program that the daemon started. */
  readonly ownChanges?: boolean
}

/** Calls `onChange` after each change by another process that removed something from the table `table` of any family,
 *  in the calling thread's network namespace. Also calls it when notifications were lost. Throws the system's error when
 *  the kernel has no nftables. Main thread only. */
export function watchNftTable(table: string, onChange: () => void, options: NftWatchOptions = {}): NftWatch {
  const kinds = options.additions === true ? removals.union(additions) : removals
  const socket = NetlinkSocket.open(NETLINK_NETFILTER, { group: nftablesGroup })
  const poll = FdPoll.start(
    socket.fd,
    { read: true },
    () => {
      if (hasChange(socket, table, kinds, options.ownChanges === true)) onChange()
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

/** Reads all pending notifications. Returns true when one of them matters, or some were lost. */
function hasChange(socket: NetlinkSocket, table: string, kinds: ReadonlySet<number>, ownChanges: boolean): boolean {
  let change = false
  for (;;) {
    const messages = socket.receiveNow()
    if (messages === -errno.EAGAIN) return change
    // ENOBUFS: the socket had no room for a notification.
    if (typeof messages === 'number') change = true
    else {
      change ||= messages.some(
        ({ type, sender, body }) =>
          kinds.has(type) &&
          (ownChanges || !isOwnNftAddress(sender)) &&
          attributeText(parseAttributes(body, familyHeaderSize).get(1)) === table,
      )
    }
  }
}
