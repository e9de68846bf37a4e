/** One daemon at a time chooses a bridge's name and address range: two that choose at once would take the same.
 *  An abstract socket is the lock: it belongs to the network namespace, as bridges do, and dies with its holder. */
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { BerthError, errnoOf } from '../base/index.ts'

const address = '\0berth-network-setup'
const patienceMs = 20_000

/** Runs `work` while no other daemon of this host does. */
export async function withHostLock<T>(work: () => T | Promise<T>): Promise<T> {
  const server = await acquire()
  try {
    return await work()
  } finally {
    server.close()
  }
}

async function acquire(): Promise<Server> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const server = await tryListen()
    if (server !== undefined) return server
    if (Date.now() > deadline)
      throw new BerthError('unavailable', 'another engine is setting up its network for too long')
    await sleep(5 + Math.random() * 10)
  }
}

function tryListen(): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy())
    server.once('error', (error) => (errnoOf(error) === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(address, () => resolve(server))
  })
}
