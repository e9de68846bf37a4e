import type { ImageBackend } from '../../contract/index.ts'
import { sendBytes } from '../answers/byte-stream.ts'
import { type Call, pathParameter, type Route } from '../answers/route.ts'
import { readPlatform } from './platform.ts'

/** Routes that send images as an archive. */
export function imageSaveRoutes(backend: ImageBackend): readonly Route[] {
  return [
    { method: 'GET', pattern: '/images/get', handle: (call) => save(backend, call, call.query.all('names')) },
    {
      method: 'GET',
      pattern: '/images/{name...}/get',
      handle: (call) => save(backend, call, [pathParameter(call, 'name')]),
    },
  ]
}

async function save(backend: ImageBackend, { exchange, query }: Call, names: readonly string[]): Promise<void> {
  using archive = await backend.save(names, { platform: readPlatform(query) })
  const chunks = archive.chunks({ signal: exchange.signal })
  await sendBytes(exchange, 'application/x-tar', { sizeBytes: archive.sizeBytes, chunks })
}
