import { formatTarHeader, type TarEntryInput, tarEnd, tarPadding } from './tar-writer.ts'

/** A member to write: its header and its content, whose length must be the header's `sizeBytes`. */
export interface TarMemberInput {
  readonly entry: TarEntryInput
  readonly body?: Buffer | AsyncIterable<Buffer>
}

/** Writes an archive of these members. If a body is a Buffer, it decides `sizeBytes`. */
export async function* packEntries(
  members: Iterable<TarMemberInput> | AsyncIterable<TarMemberInput>,
): AsyncIterable<Buffer> {
  for await (const { entry, body } of members) {
    if (Buffer.isBuffer(body)) {
      yield formatTarHeader({ ...entry, sizeBytes: body.length })
      if (body.length > 0) yield body
      yield tarPadding(body.length)
    } else {
      yield formatTarHeader(entry)
      if (body !== undefined) yield* body
      yield tarPadding(entry.sizeBytes ?? 0)
    }
  }
  yield tarEnd
}
