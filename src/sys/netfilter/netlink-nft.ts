/** Adds and deletes elements of nftables maps through netlink. So publishing a port takes one system call, not a
 *  process.
 *  https://docs.kernel.org/networking/netlink_spec/nftables.html */
import { attribute, type NetlinkRequest, nested, netlinkFlags } from '../netlink/netlink-codec.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import { familyHeader, NETLINK_NETFILTER, nftFamilies, nftMessageType, transaction } from './nfnetlink.ts'
import { rememberOwnNftAddress } from './nft-identity.ts'

/** An element of a map or set. Key and value have the kernel's form; each field of a concatenation is padded to 4
 *  bytes. */
export interface MapElement {
  /** Name of the map or set. */
  readonly map: string
  readonly key: Buffer
  /** Absent for an element of a set. */
  readonly value?: Buffer
}

/** An nftables table. */
export interface NftTable {
  readonly family: 'ip' | 'ip6'
  readonly name: string
}

const newElement = nftMessageType(12)
const deleteElement = nftMessageType(14)
const { ack, create, request } = netlinkFlags
/** An element takes up to 100 bytes. An attribute has at most 64 KiB, and a batch must fit into the socket's buffer. */
const elementsPerMessage = 250
const elementsPerBatch = 1000
const field = { table: 1, set: 2, elements: 3, element: 1, key: 1, data: 2, value: 1 } as const

/** Adds elements to maps of a table in the calling thread's network namespace, in transactions of up to a thousand. No
 *  error for an element that exists with the same value. Throws the system's error. */
export function addMapElements(table: NftTable, elements: readonly MapElement[]): void {
  if (elements.length === 0) return
  const socket = NetlinkSocket.open(NETLINK_NETFILTER)
  try {
    for (const part of chunks(elements, elementsPerBatch)) socket.execute(batch(table, part, 'add'))
  } finally {
    socket.close()
  }
}

/** Deletes elements, in transactions of up to a thousand. Rejects with ENOENT when one of them does not exist. The
 *  kernel waits until no processor uses the elements (10 to 30 ms), so the call waits in another thread. Other changes
 *  of the packet filter wait meanwhile. */
export async function deleteMapElements(table: NftTable, elements: readonly MapElement[]): Promise<void> {
  if (elements.length === 0) return
  const socket = NetlinkSocket.open(NETLINK_NETFILTER)
  rememberOwnNftAddress(socket.address)
  try {
    for (const part of chunks(elements, elementsPerBatch)) {
      await socket.executeInBackground(batch(table, part, 'delete'))
    }
  } finally {
    socket.close()
  }
}

/** One transaction. Elements of the same map share messages of up to 64 KiB, so that the socket has room for the
 *  kernel's acknowledgments. */
function batch(table: NftTable, elements: readonly MapElement[], action: 'add' | 'delete'): NetlinkRequest[] {
  const requests = [...Map.groupBy(elements, ({ map }) => map)].flatMap(([map, group]) =>
    chunks(group, elementsPerMessage).map((chunk) => ({
      type: action === 'add' ? newElement : deleteElement,
      flags: request | ack | (action === 'add' ? create : 0),
      label: `${action} element of ${table.name} ${map}`,
      body: Buffer.concat([
        familyHeader(nftFamilies[table.family]),
        attribute(field.table, table.name),
        attribute(field.set, map),
        nested(field.elements, ...chunk.map((element) => nested(field.element, ...elementParts(element, action)))),
      ]),
    })),
  )
  return transaction(requests)
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  )
}

function elementParts(element: MapElement, action: 'add' | 'delete'): Buffer[] {
  const key = nested(field.key, attribute(field.value, element.key))
  if (action === 'delete' || element.value === undefined) return [key]
  return [key, nested(field.data, attribute(field.value, element.value))]
}
