/** Ranges of bytes: the requested part of a blob (`Range`, RFC 9110) and the sent part of an upload (`Content-Range`,
 *  in the form of the distribution specification). */

/** Bytes from `start` to `end`, both included. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Reads a `Range` header: the whole blob, one part, or unsatisfiable (416). Several parts and other units are ignored,
 *  which RFC 9110 allows. */
export function parseRange(header: string | undefined, sizeBytes: number): Span | 'whole' | 'unsatisfiable' {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '')
  if (match === null) return 'whole'
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return 'whole'
  if (first === '') {
    const count = Number(last)
    if (count === 0 || sizeBytes === 0) return 'unsatisfiable'
    return { start: Math.max(0, sizeBytes - count), end: sizeBytes - 1 }
  }
  const start = Number(first)
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  // A range like `bytes=5-2` is invalid, and invalid ranges are ignored.
  if (last !== '' && Number(last) < start) return 'whole'
  return start >= sizeBytes ? 'unsatisfiable' : { start, end }
}

/** Reads `<start>-<end>`, also in the form `bytes <start>-<end>/<size>`. Undefined if it is malformed. */
export function parseContentRange(header: string): Span | undefined {
  const match = /^(?:bytes\s+)?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/i.exec(header.trim())
  if (match === null) return undefined
  const start = Number(match[1])
  const end = Number(match[2])
  return end < start ? undefined : { start, end }
}

/** The `Range` header of an upload with so many bytes: `0-` and the last byte's position. `0-0` for an empty upload, as
 *  clients expect. */
export function formatUploadRange(sizeBytes: number): string {
  return `0-${Math.max(0, sizeBytes - 1)}`
}
