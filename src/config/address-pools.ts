/** `default-address-pools`: the ranges from which networks without a subnet get one. Pure. */
import { isIP } from 'node:net'
import { invalidArgument } from '../base/index.ts'

/** A range, and the prefix length of the subnets that networks get from it. */
export interface AddressPoolOption {
  readonly base: string
  readonly size: number
}

/** Reads flags (`base=10.10.0.0/16,size=24`) and the objects of daemon.json. Throws `invalidArgument`. */
export function addressPools(flags: readonly string[], file: unknown): readonly AddressPoolOption[] {
  const fromFile = Array.isArray(file) ? (file as readonly Readonly<Record<string, unknown>>[]) : []
  return [...flags.map(parseFlag), ...fromFile.map(({ base, size }) => checked(base, size))]
}

function parseFlag(text: string): AddressPoolOption {
  const parts = new Map(text.split(',').map((part) => part.split('=', 2) as [string, string]))
  return checked(parts.get('base'), Number(parts.get('size')))
}

function checked(base: unknown, size: unknown): AddressPoolOption {
  const [address = '', prefix = ''] = typeof base === 'string' ? base.split('/') : []
  const width = isIP(address) === 6 ? 128 : 32
  if (isIP(address) === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > width) {
    throw invalidArgument(`default-address-pools: invalid CIDR address: ${base}`)
  }
  if (typeof size !== 'number' || !Number.isInteger(size) || size < Number(prefix) || size > width) {
    throw invalidArgument(`default-address-pools: "size" of ${base} must be between ${prefix} and ${width}`)
  }
  return { base: `${address}/${prefix}`, size }
}
