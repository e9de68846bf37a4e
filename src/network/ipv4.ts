/** IPv4 addresses as numbers. Pure. */
import { isIPv4 } from 'node:net'
import { invalidArgument } from '../base/index.ts'

/** A network range: `base` has all host bits zero. */
export interface Subnet {
  readonly base: number
  readonly prefix: number
}

/** The number of an address in dotted form. */
export function parseAddress(text: string): number {
  if (!isIPv4(text)) throw invalidArgument(`invalid IPv4 address: ${text}`)
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0)
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}

/** Parses `172.17.0.1/16` into the address and its range. */
export function parseCidr(text: string): { readonly address: string; readonly subnet: Subnet } {
  const [address = '', length = ''] = text.split('/')
  const prefix = Number(length)
  if (!/^\d{1,2}$/.test(length) || prefix > 32) throw invalidArgument(`invalid CIDR address: ${text}`)
  return { address, subnet: subnetOf(parseAddress(address), prefix) }
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.base)}/${subnet.prefix}`
}

/** The range of that size that holds `address`. */
export function subnetOf(address: number, prefix: number): Subnet {
  const size = 2 ** (32 - prefix)
  return { base: Math.floor(address / size) * size, prefix }
}

export function subnetSize(subnet: Subnet): number {
  return 2 ** (32 - subnet.prefix)
}

export function contains(subnet: Subnet, address: number): boolean {
  return address >= subnet.base && address < subnet.base + subnetSize(subnet)
}

export function overlaps(one: Subnet, other: Subnet): boolean {
  return contains(one, other.base) || contains(other, one.base)
}

/** The MAC that Docker's bridge driver gives to an address: 02:42 and the address's four bytes. */
export function macOfAddress(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return ['02', '42', ...bytes].join(':')
}
