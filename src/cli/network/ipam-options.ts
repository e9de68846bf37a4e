/** `--subnet`, `--ip-range`, `--gateway` and `--aux-address` of `network create`. Each of the others belongs to the
 *  subnet that contains it. */
import type { IpamConfig } from '../../api/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import { addressBytes } from '../format/ip-address.ts'

interface Pool {
  Subnet: string
  IPRange?: string
  Gateway?: string
  AuxiliaryAddresses?: Record<string, string>
}

/** Throws a CliError, with Docker's text, for an address in none of the subnets, and for a second one in the same. */
export function parseIpam(flags: FlagValues): IpamConfig[] {
  const subnets = flags.list('subnet')
  const ranges = flags.list('ip-range')
  const gateways = flags.list('gateway')
  if (subnets.length < ranges.length || subnets.length < gateways.length) {
    throw new CliError(1, 'every ip-range or gateway must have a corresponding subnet')
  }
  const pools: Pool[] = []
  for (const subnet of subnets) {
    if (pools.some((pool) => contains(pool.Subnet, subnet) || contains(subnet, pool.Subnet))) {
      throw new CliError(1, 'multiple overlapping subnet configuration is not supported')
    }
    pools.push({ Subnet: subnet })
  }
  for (const range of ranges) {
    const pool = poolOf(pools, range, 'range')
    if (pool.IPRange !== undefined) {
      throw new CliError(
        1,
        `cannot configure multiple ranges (${range}, ${pool.IPRange}) on the same subnet (${pool.Subnet})`,
      )
    }
    pool.IPRange = range
  }
  for (const gateway of gateways) {
    const pool = poolOf(pools, gateway, 'gateway')
    if (pool.Gateway !== undefined) {
      throw new CliError(
        1,
        `cannot configure multiple gateways (${gateway}, ${pool.Gateway}) for the same subnet (${pool.Subnet})`,
      )
    }
    pool.Gateway = gateway
  }
  for (const [name, address] of Object.entries(flags.pairs('aux-address'))) {
    const pool = poolOf(pools, address, 'aux-address')
    pool.AuxiliaryAddresses = { ...pool.AuxiliaryAddresses, [name]: address }
  }
  return pools
}

function poolOf(pools: readonly Pool[], text: string, what: string): Pool {
  const pool = pools.find(({ Subnet }) => contains(Subnet, text))
  if (pool === undefined) throw new CliError(1, `no matching subnet for ${what} ${text}`)
  return pool
}

/** True when a subnet contains the first address of `text`, an address or a subnet. Throws for any other text. */
function contains(subnet: string, text: string): boolean {
  const [base = '', length = ''] = subnet.split('/')
  const network = addressBytes(base)
  const bits = Number(length)
  if (network === undefined || !/^\d+$/.test(length) || bits > network.length * 8) {
    throw new CliError(1, `invalid subnet: invalid CIDR address: ${subnet}`)
  }
  const address = addressBytes(text.split('/')[0] ?? '')
  if (address?.length !== network.length) return false
  return network.every((byte, index) => {
    const mask = (0xff << Math.max(0, Math.min(8, 8 - (bits - index * 8)))) & 0xff
    return ((byte ^ (address[index] ?? 0)) & mask) === 0
  })
}
