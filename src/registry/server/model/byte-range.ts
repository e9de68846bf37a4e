/** Ranges: which part of a blob is wanted (`Range`, RFC 9110), and which part of an upload comes (`Content-Range`, in
 *  the registry's own form). */

/** Bytes from `start` to `end`, both included. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** What to answer: everything, one part, or 416. Several parts at once and other units may be ignored and are. */
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
  // `bytes=5-2` is no range at all, and one that is none is ignored.
  if (last !== '' && Number(last) < start) return 'whole'
  return start >= sizeBytes ? 'unsatisfiable' : { start, end }
}

/** `<start>-<end>` of a chunk, also as `bytes <start>-<end>/<size>`; undefined when it is neither. */
export function parseContentRange(header: string): Span | undefined {
  const match = /^(?:bytes\s+)?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/i.exec(header.trim())
  if (match === null) return undefined
  const start = Number(match[1])
  const end = Number(match[2])
  return end < start ? undefined : { start, end }
}

/** The `Range` of an upload with so many bytes: the place of the last one. Of none, as clients expect, `0-0`. */
export function formatUploadRange(sizeBytes: number): string {
  return `0-${Math.max(0, sizeBytes - 1)}`
}
