/** An output that the client takes as one stream of bytes and writes where it wants. */
import type { ByteSink } from '../../model/built-image.ts'
import { FileSend } from '../gen/filesync_pb.ts'
import type { ClientSession } from './client-session.ts'
import { type ExportCall, exportMetadata } from './export-call.ts'

/** Opens it. */
export function sendFile({ client }: ClientSession, call: ExportCall): ByteSink {
  const { signal, attributes = {} } = call
  const named = Object.entries(attributes).map(([name, value]) => [`exporter-md-${name}`, [value]] as const)
  const sending = client.open(FileSend.method.diffCopy, {
    metadata: exportMetadata(call, Object.fromEntries(named)),
    signal,
  })
  return {
    write: (chunk) => sending.send({ data: chunk }),
    // The client ends the call when everything is written.
    async end() {
      sending.end()
      for await (const _ of sending.messages) {
        // Nothing is sent back.
      }
    },
  }
}
