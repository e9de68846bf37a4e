import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { descriptorOf } from '../../../../http/index.ts'
import { BodyFault } from './body-fault.ts'
import { UploadThreads } from './upload-threads.ts'

test('threads that end before they have opened a connection leave none open', async () => {
  const directory = mkdtempSync('/tmp/br-ut-')
  try {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as { port: number }).port, '127.0.0.1')
    const [accepted] = (await once(server, 'connection')) as [Socket]
    server.close()
    const path = join(directory, 'data')
    const file = await open(path, 'w')
    const threads = new UploadThreads(1)
    const received = threads.receive({
      target: { id: 'a', path, algorithm: 'sha256', sizeBytes: 0 },
      file: file.fd,
      body: {
        fd: descriptorOf(accepted),
        head: Buffer.alloc(0),
        sizeBytes: 1000,
        maxBytes: undefined,
        idleMs: 60_000,
        signal: new AbortController().signal,
        onReceived() {},
      },
      onWritten() {},
    })
    await Promise.all([
      assert.rejects(received, (error) => error instanceof BodyFault && error.kind === 'gone'),
      threads.close(),
    ])
    accepted.destroy()
    await once(client.resume(), 'close')
    await file.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
})
