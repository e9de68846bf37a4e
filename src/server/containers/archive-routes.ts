/** `/containers/{id}/archive`: copies files out of a container and into it, as tar streams. */
import type { ContainerPathStat } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import type { ContainerBackend } from '../../contract/index.ts'
import type { Exchange, Query } from '../../http/index.ts'
import { sendBytes } from '../answers/byte-stream.ts'
import { type Call, pathParameter, type Route } from '../answers/route.ts'

const pattern = '/containers/{id}/archive'

/** The routes of `ContainerArchives`. */
export function containerArchiveRoutes(backend: ContainerBackend): readonly Route[] {
  return [
    {
      method: 'HEAD',
      pattern,
      handle: async (call) => {
        setStat(call.exchange, await backend.statPath(pathParameter(call, 'id'), readPath(call.query)))
        call.exchange.sendEmpty(200)
      },
    },
    { method: 'GET', pattern, handle: (call) => send(backend, call) },
    { method: 'PUT', pattern, handle: (call) => extract(backend, call) },
  ]
}

async function send(backend: ContainerBackend, call: Call): Promise<void> {
  const { exchange, query } = call
  const { signal } = exchange
  const { stat, chunks } = await backend.readArchive(pathParameter(call, 'id'), readPath(query), { signal })
  setStat(exchange, stat)
  await sendBytes(exchange, 'application/x-tar', { chunks })
}

async function extract(backend: ContainerBackend, call: Call): Promise<void> {
  const { exchange, query } = call
  await backend.extract(pathParameter(call, 'id'), readPath(query), exchange.body, {
    noOverwriteDirNonDir: query.flag('noOverwriteDirNonDir'),
    copyUidGid: query.flag('copyUIDGID'),
    signal: exchange.signal,
  })
  exchange.sendEmpty(200)
}

function readPath(query: Query): string {
  const path = query.text('path')
  if (path === '') throw invalidArgument('bad parameter: path cannot be empty')
  if (path.includes('\0')) throw invalidArgument('bad parameter: path has a NUL in it')
  return path
}

function setStat(exchange: Exchange, stat: ContainerPathStat): void {
  exchange.setHeader('X-Docker-Container-Path-Stat', Buffer.from(JSON.stringify(stat)).toString('base64'))
}
