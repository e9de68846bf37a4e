/** A socket in a build container that forwards connections to an agent of the client. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream'

/** Listens at `path` and connects each client of the socket with `connect`. Gives a function that closes the socket. */
export async function serveAgent(path: string, connect: () => Promise<Duplex>): Promise<() => Promise<void>> {
  const open = new Set<Duplex>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    connect().then(
      (agent) => {
        open.add(agent)
        agent.once('close', () => open.delete(agent))
        pipeline(socket, agent, () => {})
        pipeline(agent, socket, () => {})
      },
      () => socket.destroy(),
    )
  })
  server.listen(path)
  await once(server, 'listening')
  return async () => {
    for (const one of open) one.destroy()
    server.close()
    await once(server, 'close')
  }
}
