/** A directory of blobs on the client (an OCI image layout), through containerd's content protocol. The client
 *  maintains the layout's `index.json`. */
import { newId } from '../../../base/index.ts'
import { GrpcError, grpcCode } from '../../../grpc/index.ts'
import { Content } from '../gen/content_pb.ts'
import type { ClientSession } from './client-session.ts'

const action = { stat: 0, write: 1, commit: 2 } as const
/** Clients accept messages of up to 4 MiB. */
const pieceBytes = 1024 * 1024

/** Reads and writes blobs on the client. */
export class ClientContentStore {
  readonly #session: ClientSession
  readonly #id: string
  readonly #signal: AbortSignal

  /** `id` is the client's name of the directory: `local:/path`, `oci:name`, `export`. */
  constructor(session: ClientSession, id: string, signal: AbortSignal) {
    this.#session = session
    this.#id = id
    this.#signal = signal
  }

  /** Reads a blob. The bytes are not verified. */
  async *read(digest: string): AsyncGenerator<Buffer, void, undefined> {
    const call = this.#session.client.open(Content.method.read, this.#options())
    await call.send({ digest })
    call.end()
    for await (const { data } of call.messages) yield Buffer.from(data)
  }

  /** Writes a blob. Resolves when the client has stored it. A blob that the client already has is not sent. */
  async write(digest: string, sizeBytes: number, source: AsyncIterable<Buffer>): Promise<void> {
    const call = this.#session.client.open(Content.method.write, this.#options())
    const answers = call.messages[Symbol.asyncIterator]()
    const total = BigInt(sizeBytes)
    try {
      // A new name for each write, so that no unfinished write is resumed.
      await call.send({ action: action.stat, ref: newId(), total, expected: digest })
      await answers.next()
      let offset = 0n
      for await (const chunk of source) {
        for (let at = 0; at < chunk.length; at += pieceBytes) {
          const data = chunk.subarray(at, at + pieceBytes)
          await call.send({ action: action.write, total, offset, data })
          await answers.next()
          offset += BigInt(data.length)
        }
      }
      await call.send({ action: action.commit, total, offset, expected: digest })
      await answers.next()
      call.end()
    } catch (error) {
      call.cancel()
      if (!(error instanceof GrpcError && error.code === grpcCode.alreadyExists)) throw error
    }
  }

  #options() {
    return { metadata: { 'buildkit-attachable-store-id': this.#id }, signal: this.#signal }
  }
}
