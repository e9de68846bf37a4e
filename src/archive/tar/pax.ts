/** PAX extended header records: `LENGTH KEY=VALUE\n`. LENGTH includes itself; values are any bytes.
 *  https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_03 */
import { decodeName } from '../../base/index.ts'
import { tarError } from './tar-error.ts'

/** One record. Keys can repeat in sparse maps, so records are kept as an ordered list. */
export interface PaxRecord {
  readonly key: string
  readonly value: Buffer
}

/** All records in the content of an extended header, in order. Throws when one is malformed. */
export function parsePaxRecords(content: Buffer): PaxRecord[] {
  const records: PaxRecord[] = []
  let at = 0
  while (at < content.length) {
    // Some writers pad with NULs.
    if (content[at] === 0) break
    const space = content.indexOf(0x20, at)
    const length = space < 0 || space - at > 10 ? Number.NaN : Number(content.toString('latin1', at, space))
    const end = at + length
    if (!Number.isInteger(length) || length < 5 || end > content.length || content[end - 1] !== 0x0a) {
      throw tarError('malformed extended header')
    }
    const equals = content.indexOf(0x3d, space + 1)
    if (equals < 0 || equals >= end) throw tarError('extended header record without a value')
    records.push({
      key: decodeName(content.subarray(space + 1, equals)),
      value: Buffer.from(content.subarray(equals + 1, end - 1)),
    })
    at = end
  }
  return records
}

/** The content of an extended header with these records, in this order. */
export function formatPaxRecords(records: Iterable<readonly [string, Buffer | string]>): Buffer {
  const parts: Buffer[] = []
  for (const [key, value] of records) {
    const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as string), Buffer.from('\n')])
    let length = body.length + 1
    // The length includes its own digits.
    while (String(length).length + body.length !== length) length = String(length).length + body.length
    parts.push(Buffer.from(String(length)), body)
  }
  return Buffer.concat(parts)
}

/** Parses a non-negative integer. Throws for anything else. */
export function parsePaxInteger(value: Buffer, key: string): number {
  const text = value.toString('latin1')
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) throw tarError(`extended header has a bad ${key}`)
  return number
}

/** Parses a decimal time in seconds, which may be negative, into nanoseconds. Digits after the ninth are dropped.
 *  Throws for anything else. */
export function parsePaxTime(value: Buffer, key: string): bigint {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value.toString('latin1'))
  if (match === null) throw tarError(`extended header has a bad ${key}`)
  const [, sign, seconds = '0', fraction = ''] = match
  const ns = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  return sign === '-' ? -ns : ns
}

/** Parses a path. Throws for a path with a NUL, which the kernel would cut there. */
export function parsePaxPath(value: Buffer, key: string): string {
  if (value.includes(0)) throw tarError(`extended header has a ${key} with a NUL in it`)
  return decodeName(value)
}

/** Formats a time in nanoseconds as decimal seconds. */
export function formatPaxTime(ns: bigint): string {
  const sign = ns < 0n ? '-' : ''
  const absolute = ns < 0n ? -ns : ns
  const fraction = (absolute % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  const seconds = `${sign}${absolute / 1_000_000_000n}`
  return fraction === '' ? seconds : `${seconds}.${fraction}`
}
