/** `/berth/volumes/{name}/archive`, which exists only in Berth: sends a volume's content as a tar stream, or replaces
 *  it. */
import { invalidArgument } from '../../base/index.ts'
import type { VolumeBackend } from '../../contract/index.ts'
import { sendBytes } from '../answers/byte-stream.ts'
import { type Call, pathParameter, type Route } from '../answers/route.ts'

const pattern = '/berth/volumes/{name}/archive'
const contentTypes = { none: 'application/x-tar', gzip: 'application/gzip', zstd: 'application/zstd' } as const

/** The routes of backup and restore. */
export function volumeArchiveRoutes(backend: VolumeBackend): readonly Route[] {
  return [
    { method: 'GET', pattern, handle: (call) => backup(backend, call) },
    { method: 'PUT', pattern, handle: (call) => restore(backend, call) },
  ]
}

async function backup(backend: VolumeBackend, call: Call): Promise<void> {
  const { exchange, query } = call
  const compression = readCompression(query.text('compression'))
  const options = { compression, pause: query.flagOr('pause', true), signal: exchange.signal }
  const chunks = await backend.backup(pathParameter(call, 'name'), options)
  await sendBytes(exchange, contentTypes[compression], { chunks })
}

async function restore(backend: VolumeBackend, call: Call): Promise<void> {
  const { exchange, query } = call
  const options = { pause: query.flagOr('pause', true), force: query.flag('force'), signal: exchange.signal }
  exchange.sendJson(200, await backend.restore(pathParameter(call, 'name'), exchange.body, options))
}

function readCompression(text: string): keyof typeof contentTypes {
  if (text === '') return 'none'
  if (text in contentTypes) return text as keyof typeof contentTypes
  throw invalidArgument(`invalid compression: ${text}: must be "zstd", "gzip" or "none"`)
}
