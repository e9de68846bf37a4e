/** Reads a stream with one JSON value per line (`pull`, `events`), as it arrives. */
export async function* jsonLines<T>(
  chunks: AsyncIterable<Buffer>,
  parse: (line: string) => unknown = JSON.parse,
): AsyncGenerator<T, void, void> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield parse(line) as T
  }
  if (rest.trim() !== '') yield parse(rest) as T
}
