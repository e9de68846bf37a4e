import { invalidArgument, parseNs } from '../../base/index.ts'

/** A time in a query: Unix seconds with up to nine decimals, or RFC 3339. Undefined for '' and '0'.
 *  Clients turn durations like `10m` into times themselves. */
export function parseTimestamp(name: string, text: string): bigint | undefined {
  if (text === '' || text === '0') return undefined
  const match = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text)
  if (match !== null) {
    const [, seconds = '0', fraction = ''] = match
    return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
  }
  const parsed = parseNs(text) ?? parseNs(`${text}Z`) ?? parseNs(`${text}T00:00:00Z`)
  if (parsed === undefined) {
    throw invalidArgument(
      `invalid value for "${name}": strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  }
  return parsed
}
