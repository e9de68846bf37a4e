/** Answers one container's questions, from the table of names or else from upstream servers. */

import type { Forwarder } from './forwarder.ts'
import {
  errorResponse,
  type LocalRecord,
  localResponse,
  parseQuery,
  type Query,
  responseCode,
  type Transport,
} from './message.ts'
import type { NamedSandbox } from './name-service.ts'
import type { NameAddresses, NameTable } from './name-table.ts'

/** How long clients may cache an answer; the same as in Docker. */
const ttlSeconds = 600

/** Gives the answer to a message from the container of `view`, or undefined if it must not be answered. Never
 *  rejects. */
export function resolve(
  names: NameTable,
  view: Pick<NamedSandbox, 'networkIds' | 'links' | 'forward'>,
  forwarder: Forwarder,
  message: Buffer,
  transport: Transport,
): Buffer | undefined | Promise<Buffer> {
  const query = parseQuery(message)
  if (query === undefined || Buffer.isBuffer(query)) return query
  const records = query.isInternet ? localRecords(names, view, query) : undefined
  if (records !== undefined) return localResponse(query, transport, records, ttlSeconds)
  if (!view.forward) return errorResponse(query, responseCode.serverFailure)
  return forwarder.forward(query, transport)
}

/** The records of the table for a question. Empty for a name without records of that type, undefined for an unknown
 *  name. */
function localRecords(
  names: NameTable,
  view: Pick<NamedSandbox, 'networkIds' | 'links'>,
  { name, type }: Query,
): LocalRecord[] | undefined {
  if (type === 'PTR') {
    const host = names.findReverse(view, name)
    if (host !== undefined) return [{ type: 'PTR', data: host }]
  }
  const addresses = names.find(view, name)
  return addresses === undefined ? undefined : addressRecords(addresses, type)
}

function addressRecords({ ipv4, ipv6 }: NameAddresses, type: string): LocalRecord[] {
  const v4 = ipv4.map((data) => ({ type: 'A', data }) as const)
  const v6 = ipv6.map((data) => ({ type: 'AAAA', data }) as const)
  if (type === 'A') return v4
  if (type === 'AAAA') return v6
  return type === 'ANY' ? [...v4, ...v6] : []
}
