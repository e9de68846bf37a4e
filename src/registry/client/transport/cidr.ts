import { BlockList, isIP } from 'node:net'

/** True if `host` is an address in the network `cidr`. False for names and for malformed networks. */
export function isInside(host: string, cidr: string): boolean {
  const [network = '', bits = ''] = cidr.split('/')
  const family = isIP(network)
  if (family === 0 || isIP(host) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 6 ? 128 : 32)) {
    return false
  }
  const list = new BlockList()
  list.addSubnet(network, Number(bits), family === 6 ? 'ipv6' : 'ipv4')
  return list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}

/** True if `entry` is a network in the form ADDRESS/BITS. */
export function isCidr(entry: string): boolean {
  const [network = '', bits = ''] = entry.split('/')
  return isIP(network) !== 0 && /^\d{1,3}$/.test(bits)
}
