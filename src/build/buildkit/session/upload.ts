import { Upload } from '../gen/upload_pb.ts'
import type { ClientSession } from './client-session.ts'

/** What the client keeps ready at an address of its own, `http://buildkit-session/…`: an archive from its input. */
export async function* pullUpload(
  { client }: ClientSession,
  address: string,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const { host, pathname } = new URL(address)
  const call = client.open(Upload.method.pull, { metadata: { urlpath: pathname, urlhost: host }, signal })
  for await (const { data } of call.messages) yield Buffer.from(data)
}

/** Tells such an address from others. */
export function isUpload(address: string): boolean {
  return address.startsWith('http://buildkit-session/')
}
