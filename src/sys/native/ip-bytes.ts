/** Converts IP addresses between text and the kernel's form, 4 or 16 bytes in network order. Pure. */
import { isIPv4, SocketAddress } from 'node:net'

/** The bytes of an address, which must be valid (`net.isIP`) and without a zone. */
export function addressBytes(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number))
  // The last 32 bits may be written as an IPv4 address.
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (ipv4) => {
    const hex = Buffer.from(ipv4.split('.').map(Number)).toString('hex')
    return `${hex.slice(0, 4)}:${hex.slice(4)}`
  })
  const [head = '', tail = ''] = plain.split('::')
  const [before, after] = [groupsOf(head), groupsOf(tail)]
  const missing = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return Buffer.from([...before, ...missing, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** The text of an address of 4 or 16 bytes; IPv6 in the form of RFC 5952. */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16))
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':')
}
