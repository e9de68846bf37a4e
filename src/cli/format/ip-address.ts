/** The bytes of an IP address: 4 or 16; undefined for any other text. Does not use `node:net`, because loading it would
 *  slow every command down. */
export function addressBytes(text: string): readonly number[] | undefined {
  return text.includes(':') ? bytesOfIpv6(text) : bytesOfIpv4(text)
}

function bytesOfIpv4(text: string): readonly number[] | undefined {
  const parts = text.split('.')
  const valid = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)
  return valid ? parts.map(Number) : undefined
}

function bytesOfIpv6(text: string): readonly number[] | undefined {
  const [left = '', right, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const head = groupsOf(left)
  const tail = right === undefined ? [] : groupsOf(right)
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (right === undefined ? missing !== 0 : missing < 1) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail].flatMap((group) => [group >> 8, group & 0xff])
}

/** Parses groups of 16 bits; the last two may be an IPv4 address. */
function groupsOf(text: string): readonly number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  for (const part of text.split(':')) {
    const [a = 0, b = 0, c = 0, d = 0] = bytesOfIpv4(part) ?? []
    if (part.includes('.')) groups.push(a * 256 + b, c * 256 + d)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}
