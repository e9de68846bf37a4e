import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { endWithPeer } from './peer.ts'

/** Both ends of a connection. */
async function connection(): Promise<{ readonly near: Socket; readonly far: Socket } & AsyncDisposable> {
  const directory = mkdtempSync('/tmp/berth-peer-')
  const server = createServer({ allowHalfOpen: true }).listen(join(directory, 's'))
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const far = connect({ path: join(directory, 's'), allowHalfOpen: true })
  const [near] = (await accepted) as [Socket]
  near.resume()
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      near.destroy()
      far.destroy()
      server.close()
      rmSync(directory, { recursive: true })
    },
  }
}

test('endWithPeer() keeps a connection whose client has closed its sending side only', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  await using ends = await connection()
  endWithPeer(ends.near, 5)
  ends.far.end()
  await once(ends.near, 'end')
  // A second check finds the client still there.
  t.mock.timers.tick(30)
  assert.equal(ends.near.destroyed, false)
  ends.near.write('still there')
  const [text] = (await once(ends.far, 'data')) as [Buffer]
  assert.equal(text.toString(), 'still there')
  // The client closes the other direction as well.
  const closed = once(ends.near, 'close')
  ends.far.destroy()
  await once(ends.far, 'close')
  t.mock.timers.tick(5)
  await closed
})

test('endWithPeer() ends a connection whose client has gone', async () => {
  await using ends = await connection()
  endWithPeer(ends.near)
  ends.far.destroy()
  await once(ends.near, 'close')
})
