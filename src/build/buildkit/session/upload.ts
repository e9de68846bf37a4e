/** Archives that a client offers for download through its session. */
import { Upload } from '../gen/upload_pb.ts'
import type { ClientSession } from './client-session.ts'

/** Reads the archive that the client offers at an address of its own, `http://buildkit-session/…`. Clients use it for a
 *  context from standard input. */
export async function* pullUpload(
  { client }: ClientSession,
  address: string,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const { host, pathname } = new URL(address)
  const call = client.open(Upload.method.pull, { metadata: { urlpath: pathname, urlhost: host }, signal })
  for await (const { data } of call.messages) yield Buffer.from(data)
}

/** True for such an address. */
export function isUpload(address: string): boolean {
  return address.startsWith('http://buildkit-session/')
}
