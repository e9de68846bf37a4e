/** `containerd.services.content.v1.Content`: clients read blobs through it that history records refer to. */
import { notFound } from '../../../base/index.ts'
import type { Handlers } from '../../../grpc/index.ts'
import type { Content } from '../gen/content_pb.ts'
import type { BuildHistory } from '../history/build-history.ts'
import { timestampOf } from '../progress/build-progress.ts'

/** Clients accept messages of up to 4 MiB. */
const pieceBytes = 1024 * 1024

/** The read methods of the service. There are no write methods. */
export function contentService(history: BuildHistory): Handlers<typeof Content> {
  const existing = (digest: string) => {
    const found = history.blob(digest)
    if (found === undefined) throw notFound(`content ${digest}: not found`)
    return found
  }
  return {
    info: async ({ digest }) => {
      const { bytes, created } = existing(digest)
      const time = timestampOf(created)
      return { info: { digest, size: BigInt(bytes.length), createdAt: time, updatedAt: time } }
    },
    async *read({ digest, offset, size }) {
      const { bytes } = existing(digest)
      const end = size > 0n ? Math.min(bytes.length, Number(offset + size)) : bytes.length
      for (let at = Number(offset); at < end; at += pieceBytes)
        yield { offset: BigInt(at), data: bytes.subarray(at, Math.min(end, at + pieceBytes)) }
    },
  }
}
