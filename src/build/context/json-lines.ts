import { invalidArgument } from '../../base/index.ts'

const maxLineBytes = 1024 * 1024

/** Parses a stream of JSON lines. Throws `invalidArgument` for a line that is not JSON or is too long. */
export async function* readJsonLines(source: AsyncIterable<Buffer>): AsyncIterable<unknown> {
  let rest = Buffer.alloc(0)
  for await (const chunk of source) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (let end = bytes.indexOf(10, at); end !== -1; end = bytes.indexOf(10, at)) {
      if (end > at) yield parse(bytes.toString('utf8', at, end))
      at = end + 1
    }
    rest = Buffer.from(bytes.subarray(at))
    if (rest.length > maxLineBytes) throw invalidArgument('a line of the build context is too long')
  }
  if (rest.length > 0) yield parse(rest.toString('utf8'))
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw invalidArgument('a line of the build context is not valid JSON', { cause })
  }
}
