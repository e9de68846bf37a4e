/** Keeps address translation working for existing connections. When the last NAT chain of a network namespace is
 *  removed, as by `nft flush ruleset`, the kernel stops to translate existing connections and resets them. A NAT chain
 *  without effect prevents that. Its table belongs to this process (flag `owner`): others can't flush it, and it
 *  disappears with the process.
 *  https://wiki.nftables.org/wiki-nftables/index.php/Configuring_tables */
import { attribute, type NetlinkRequest, nested, netlinkFlags } from '../netlink/netlink-codec.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import { familyHeader, NETLINK_NETFILTER, nftFamilies, nftMessageType, nftNumber, transaction } from './nfnetlink.ts'

/** A table that `holdNat` created. */
export interface NatHold {
  /** Removes the table, which takes the kernel about ten milliseconds. Idempotent. */
  close(): void
}

const message = { newTable: 0, newChain: 3, newRule: 6 } as const
const { ack, create, request } = netlinkFlags
const ownerFlag = 2
const postRouting = 4
const sourceNatPriority = 100
const chain = 'hold'
/** The expression `ct state`. Its result is not used, but a rule that contains it keeps connection tracking on. */
const connectionState = nested(1, attribute(1, 'ct'), nested(2, attribute(1, nftNumber(1)), attribute(2, nftNumber(0))))

/** Keeps translation working until the result is closed. `table`: name of the new table. Throws the system's error
 *  (EOPNOTSUPP before Linux 5.12). */
export function holdNat(table: string): NatHold {
  const socket = NetlinkSocket.open(NETLINK_NETFILTER)
  try {
    const hook = nested(4, attribute(1, nftNumber(postRouting)), attribute(2, nftNumber(sourceNatPriority)))
    socket.execute(
      transaction([
        change(message.newTable, table, attribute(2, nftNumber(ownerFlag))),
        change(message.newChain, table, attribute(3, chain), hook, attribute(7, 'nat')),
        change(message.newRule, table, attribute(2, chain), nested(4, connectionState)),
      ]),
    )
  } catch (error) {
    socket.close()
    throw error
  }
  return { close: () => socket.close() }
}

function change(type: number, table: string, ...parts: Buffer[]): NetlinkRequest {
  return {
    type: nftMessageType(type),
    flags: request | ack | create,
    label: `hold address translation, table ${table}`,
    body: Buffer.concat([familyHeader(nftFamilies.inet), attribute(1, table), ...parts]),
  }
}
