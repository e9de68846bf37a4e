/** An output that the client receives as one stream of bytes and writes to a place of its choice. */
import type { BuildByteSink } from '../../../contract/index.ts'
import { FileSend } from '../gen/filesync_pb.ts'
import { type ExportCall, exportMetadata } from './call-metadata.ts'
import type { ClientSession } from './client-session.ts'

/** Opens the stream. */
export function sendFile({ client }: ClientSession, call: ExportCall): BuildByteSink {
  const { signal, attributes = {} } = call
  const named = Object.entries(attributes).map(([name, value]) => [`exporter-md-${name}`, [value]] as const)
  const sending = client.open(FileSend.method.diffCopy, {
    metadata: exportMetadata(call, Object.fromEntries(named)),
    signal,
  })
  return {
    write: (chunk) => sending.send({ data: chunk }),
    // The client ends the call once it has written everything.
    async end() {
      sending.end()
      for await (const _ of sending.messages) {
        // The client sends no messages.
      }
    },
  }
}
