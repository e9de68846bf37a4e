import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { runOrThrow } from './command.ts'
import { freePort, freePorts } from './ports.ts'

test('freePort() returns no port twice, in this process or in another one', async () => {
  const script = `import { freePort } from ${JSON.stringify(new URL('./ports.ts', import.meta.url).href)}
for (let at = 0; at < 20; at++) console.log(await freePort())`
  const own = await Promise.all(Array.from({ length: 20 }, () => freePort()))
  const others = await runOrThrow(process.execPath, ['--input-type=module', '-e', script])
  const all = [...own, ...others.split('\n').map(Number)]
  assert.equal(new Set(all).size, 40)
  assert.ok(all.every((port) => port >= 20_000 && port < 32_000))
})

test('freePorts() gives consecutive ports on which a server can listen', async () => {
  const first = await freePorts(3)
  for (const port of [first, first + 1, first + 2]) {
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, resolve)
    })
    await new Promise((resolve) => server.close(resolve))
  }
})
