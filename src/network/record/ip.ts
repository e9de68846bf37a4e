/** IP addresses of both families as numbers. Pure. Formats as RFC 5952 recommends. */
import { isIPv4, isIPv6 } from 'node:net'
import { invalidArgument } from '../../base/index.ts'
import { addressBytes, addressText } from '../../sys/index.ts'

export type Family = 4 | 6

/** An address; `value` has 32 or 128 bits. */
export interface Address {
  readonly family: Family
  readonly value: bigint
}

/** A network range: `base` has all host bits zero. */
export interface Subnet {
  readonly family: Family
  readonly base: bigint
  readonly prefix: number
}

const widths = { 4: 32, 6: 128 } as const

/** Parses either family. Throws `invalidArgument`; a zone (`%eth0`) is not accepted. */
export function parseAddress(text: string): Address {
  if (!isAddress(text)) throw invalidArgument(`invalid IP address: ${text}`)
  return { family: isIPv4(text) ? 4 : 6, value: BigInt(`0x${addressBytes(text).toString('hex')}`) }
}

/** True if `parseAddress` accepts the text. */
export function isAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes('%'))
}

export function formatAddress({ family, value }: Address): string {
  return addressText(Buffer.from(value.toString(16).padStart(widths[family] / 4, '0'), 'hex'))
}

/** The canonical form of an address, which is stored and compared. Throws `invalidArgument`. */
export function canonicalAddress(text: string): string {
  return formatAddress(parseAddress(text))
}

/** Parses text like `172.17.0.1/16` or `fd00::1/64` into the address and its range. Throws `invalidArgument`. */
export function parseCidr(text: string): { readonly address: string; readonly subnet: Subnet } {
  const [address = '', length = '', ...rest] = text.split('/')
  if (!isAddress(address) || !/^\d{1,3}$/.test(length) || rest.length > 0) {
    throw invalidArgument(`invalid CIDR address: ${text}`)
  }
  const parsed = parseAddress(address)
  const prefix = Number(length)
  if (prefix > widths[parsed.family]) throw invalidArgument(`invalid CIDR address: ${text}`)
  return { address: formatAddress(parsed), subnet: subnetOf(parsed, prefix) }
}

export function formatSubnet({ family, base, prefix }: Subnet): string {
  return `${formatAddress({ family, value: base })}/${prefix}`
}

/** The range with the given prefix length that contains the address. */
export function subnetOf({ family, value }: Address, prefix: number): Subnet {
  const size = 1n << BigInt(widths[family] - prefix)
  return { family, base: (value / size) * size, prefix }
}

/** How many addresses the range has. */
export function subnetSize({ family, prefix }: Subnet): bigint {
  return 1n << BigInt(widths[family] - prefix)
}

export function contains(subnet: Subnet, { family, value }: Address): boolean {
  return family === subnet.family && value >= subnet.base && value < subnet.base + subnetSize(subnet)
}

export function overlaps(one: Subnet, other: Subnet): boolean {
  const baseOf = ({ family, base }: Subnet): Address => ({ family, value: base })
  return contains(one, baseOf(other)) || contains(other, baseOf(one))
}

/** The MAC that Docker's bridge driver gives to an IPv4 address: 02:42 and the address's four bytes. */
export function macOfAddress(address: string): string {
  const bytes = [...addressBytes(address)].map((byte) => byte.toString(16).padStart(2, '0'))
  return ['02', '42', ...bytes].join(':')
}
