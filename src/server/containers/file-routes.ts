/** export, changes and commit: routes that read all of a container's files. */

import type { ContainerBackend } from '../../contract/index.ts'
import { sendBytes } from '../answers/byte-stream.ts'
import { type Call, pathParameter, type Route } from '../answers/route.ts'
import { decodeConfigBody } from '../requests/create-body.ts'

/** The routes of `ContainerFiles`. */
export function containerFileRoutes(backend: ContainerBackend): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/containers/{id}/export',
      handle: async (call) => {
        const { exchange } = call
        const chunks = await backend.export(pathParameter(call, 'id'), { signal: exchange.signal })
        await sendBytes(exchange, 'application/octet-stream', { chunks })
      },
    },
    {
      method: 'GET',
      pattern: '/containers/{id}/changes',
      handle: async (call) => {
        const changes = await backend.changes(pathParameter(call, 'id'))
        call.exchange.sendJson(200, changes.length === 0 ? null : changes)
      },
    },
    { method: 'POST', pattern: '/commit', handle: (call) => commit(backend, call) },
  ]
}

async function commit(backend: ContainerBackend, { exchange, query }: Call): Promise<void> {
  const config = decodeConfigBody(await exchange.readJson())
  const container = query.text('container')
  const id = await backend.commit(container, {
    repository: query.text('repo'),
    tag: query.text('tag'),
    comment: query.text('comment'),
    author: query.text('author'),
    // The default is true.
    pause: query.text('pause') === '' || query.flag('pause'),
    changes: query.all('changes'),
    config,
  })
  exchange.sendJson(201, { Id: id })
}
