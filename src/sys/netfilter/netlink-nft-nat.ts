/** Address translation kept alive. When the last NAT chain of a network namespace goes, as after `nft flush ruleset`,
 *  the kernel stops translating connections that live, and answers their packets with resets. A NAT chain that does
 *  nothing prevents that, in a table that belongs to this process (flag `owner`): others can't flush it, and it ends
 *  with the process.
 *  https://wiki.nftables.org/wiki-nftables/index.php/Configuring_tables */
import { attribute, type NetlinkRequest, nested, netlinkFlags } from '../netlink/netlink-codec.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import { familyHeader, NETLINK_NETFILTER, nftFamilies, nftMessageType, nftNumber, transaction } from './nfnetlink.ts'

/** Gives the table up. Idempotent. The kernel takes some ten milliseconds for it. */
export interface NatHold {
  close(): void
}

const message = { newTable: 0, newChain: 3, newRule: 6 } as const
const { ack, create, request } = netlinkFlags
const ownerFlag = 2
const postRouting = 4
const sourceNatPriority = 100
const chain = 'hold'
/** `ct state`, which nobody looks at: a rule that asks for it keeps the tracking of connections on. */
const connectionState = nested(1, attribute(1, 'ct'), nested(2, attribute(1, nftNumber(1)), attribute(2, nftNumber(0))))

/** Keeps translation going while the result is open. Throws the kernel's error (EOPNOTSUPP before Linux 5.12). */
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
