/** `kill -9` of the daemon in the middle of a build, and builds whose client disconnects: the next build uses the
 *  steps that were finished, nothing is left in the kernel, and the store is sound. BERTH_CRASH_ROUNDS repeats the
 *  crash. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { BuildDirectory } from '../../helpers/clients/build-directory.ts'
import { openRequest } from '../../helpers/daemons/api.ts'
import { mountsBelow, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { until } from '../../helpers/wait.ts'

const rounds = Array.from({ length: Number(process.env.BERTH_CRASH_ROUNDS ?? 4) }, (_, i) => i + 1)
const longestMs = 1_200
let daemon: TestDaemon
let directory: BuildDirectory

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  const files = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`src/d${i % 7}/f${i}`, `file ${i}`]))
  directory = new BuildDirectory({
    Dockerfile: [
      'FROM busybox AS left',
      'RUN echo 1 >/one && sleep 0.1',
      'COPY src /src',
      'RUN cat /src/*/* >/all',
      'FROM busybox AS right',
      'WORKDIR /w',
      'RUN --mount=type=cache,target=/c echo x >>/c/x && sleep 0.15',
      'RUN --mount=type=secret,id=none --mount=type=bind,target=/ctx cp -r /ctx/src /w',
      'FROM busybox',
      'COPY --from=left /all /all',
      'COPY --from=right /w /w',
      'RUN wc -c </all >/size',
    ].join('\n'),
    ...files,
  })
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  directory?.[Symbol.dispose]()
})

async function assertGoodStore(): Promise<void> {
  const { stdout, stderr, code } = await daemon.berth(['system', 'check'])
  assert.equal(code, 0, stdout + stderr)
}

async function buildSucceeds(): Promise<string> {
  const answer = await directory.build(daemon)
  assert.equal(answer.error, '', answer.output)
  assert.equal(await daemon.ok(['run', '--rm', answer.id, 'cat', '/size']), String(sizeOfAll))
  return answer.output
}

const sizeOfAll = Array.from({ length: 300 }, (_, i) => `file ${i}`.length).reduce((sum, length) => sum + length, 0)

for (const round of rounds) {
  test(`the cache is usable after a crash of the daemon (${round})`, async () => {
    await daemon.api('POST', '/build/prune?all=1')
    const build = directory.build(daemon).catch(() => undefined)
    await sleep(Math.random() * longestMs)
    await daemon.kill9()
    await build
    await daemon.start()
    await assertExplained(daemon)
    await assertGoodStore()
    await buildSucceeds()
    assert.match(await buildSucceeds(), /Using cache/)
    await daemon.api('POST', '/build/prune?all=1')
    await assertGoodStore()
  })
}

test('a client that disconnects ends its build', async () => {
  using slow = new BuildDirectory({ Dockerfile: 'FROM busybox\nRUN echo done >/done\nRUN echo begun; sleep 600\n' })
  const response = await openRequest(daemon.socket, 'POST', '/build', slow.tar())
  let output = ''
  response.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  response.on('error', () => {})
  await until(() => output.includes('begun'), { what: () => output })
  response.destroy()
  await once(response, 'close')
  await assertExplained(daemon)
  await until(() => mountsBelow(daemon.execRoot).length === 0, { what: () => mountsBelow(daemon.execRoot).join('\n') })
  await assertGoodStore()
  slow.write({ Dockerfile: 'FROM busybox\nRUN echo done >/done\nRUN true\n' })
  assert.match((await slow.build(daemon)).output, /Using cache/)
})

test('a build can be canceled by its name', async () => {
  using slow = new BuildDirectory({ Dockerfile: 'FROM busybox\nRUN sleep 601\n' })
  let error: string | undefined
  const build = slow.build(daemon, { buildid: 'mine' }).catch(() => ({ error: 'cut' }))
  void build.then((ended) => {
    error = ended.error
  })
  // As with Docker, an unknown name is no error.
  await until(
    async () => {
      assert.equal((await daemon.api('POST', '/build/cancel?id=mine')).status, 200)
      return error !== undefined
    },
    { what: 'the build to end' },
  )
  assert.notEqual(error, '')
  assert.equal((await daemon.api('POST', '/build/cancel')).status, 400)
  await assertExplained(daemon)
})
