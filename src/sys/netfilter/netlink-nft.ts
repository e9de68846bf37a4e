/** Elements of nftables maps through netlink: a published port costs one system call instead of a process.
 *  https://docs.kernel.org/networking/netlink_spec/nftables.html */
import { attribute, type NetlinkRequest, nested, netlinkFlags } from '../netlink/netlink-codec.ts'
import { NetlinkSocket } from '../netlink/netlink-socket.ts'
import { familyHeader, NETLINK_NETFILTER, nftFamilies, nftMessageType, transaction } from './nfnetlink.ts'
import { rememberOwnNftAddress } from './nft-identity.ts'

/** An element: key and value as the kernel keeps them, each field of a concatenation padded to 4 bytes. An element of a
 *  set has no value. */
export interface MapElement {
  readonly map: string
  readonly key: Buffer
  readonly value?: Buffer
}

/** A table of the packet filter. */
export interface NftTable {
  readonly family: 'ip' | 'ip6'
  readonly name: string
}

const newElement = nftMessageType(12)
const deleteElement = nftMessageType(14)
const { ack, create, request } = netlinkFlags
/** An element takes up to 100 bytes; an attribute is at most 64 KiB, a batch as large as the socket's buffer. */
const elementsPerMessage = 250
const elementsPerBatch = 1000
const field = { table: 1, set: 2, elements: 3, element: 1, key: 1, data: 2, value: 1 } as const

/** Adds elements to maps of a table, all or none up to a thousand. An element that is there with the same value is no
 *  error. */
export function addMapElements(table: NftTable, elements: readonly MapElement[]): void {
  if (elements.length === 0) return
  const socket = NetlinkSocket.open(NETLINK_NETFILTER)
  try {
    for (const part of chunks(elements, elementsPerBatch)) socket.execute(batch(table, part, 'add'))
  } finally {
    socket.close()
  }
}

/** Takes elements out, all or none up to a thousand. Throws ENOENT when one is not there. The kernel waits until no
 *  processor looks at them any more (10 to 30 ms), so this happens off the main thread; meanwhile other changes of the
 *  packet filter would wait for it. */
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

/** One transaction. Elements of a map go together in messages of up to 64 KiB, so that the kernel's acknowledgements
 *  find room in the socket. */
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
