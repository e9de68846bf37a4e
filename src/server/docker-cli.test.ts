/** The official CLI against fake backends: what it needs of the protocol, without a container. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ContainerInspect } from '../api/index.ts'
import { notFound } from '../base/index.ts'
import type { AttachIo } from '../contract/index.ts'
import { type PartialBackends, startTestApi } from './testing/fake-backends.ts'

const skip = hasDocker() ? false : 'no docker CLI on the PATH'

function hasDocker(): boolean {
  try {
    execFileSync('docker', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function docker(host: string, args: readonly string[], input?: string): Promise<CliResult> {
  const { promise, resolve } = Promise.withResolvers<CliResult>()
  // SIGKILL: the CLI passes SIGTERM on to the container.
  const child = execFile(
    'docker',
    ['-H', host, ...args],
    { timeout: 15_000, killSignal: 'SIGKILL', maxBuffer: 1 << 28 },
    (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
  )
  child.stdin?.end(input)
  return promise
}

/** Says hello on both outputs, then gives its input back in capitals. */
async function shout({ sink, input }: AttachIo): Promise<void> {
  sink.write('stdout', Buffer.from('out\n'))
  sink.write('stderr', Buffer.from('err\n'))
  if (input === undefined) return
  for await (const chunk of input as AsyncIterable<Buffer>) {
    sink.write('stdout', Buffer.from(chunk.toString().toUpperCase()))
  }
  sink.write('stdout', Buffer.from('end\n'))
}

const id = 'a'.repeat(64)
const inspected = {
  Id: id,
  Name: '/x',
  Created: '2024-01-01T00:00:00Z',
  State: { Status: 'running', Running: true },
  Config: { Tty: false, OpenStdin: true },
  HostConfig: {},
  NetworkSettings: { Networks: {}, Ports: {}, MacAddress: '' },
  Mounts: [],
} as unknown as ContainerInspect

/** One container that ends with code 7, when its streams have ended. */
function oneContainer(): PartialBackends {
  let ended = Promise.resolve()
  return {
    containers: {
      create: async () => ({ Id: id, Warnings: [] }),
      start: async () => {},
      inspect: async () => inspected,
      resize: async () => {},
      attach: async () => {
        const shouted = Promise.withResolvers<void>()
        ended = shouted.promise
        return { tty: false, run: (io) => shout(io).then(shouted.resolve) }
      },
      wait: async () => ({ result: ended.then(() => ({ StatusCode: 7 })) }),
      logs: async (_id, { follow }) => ({
        tty: false,
        run: async (sink) => {
          sink.write('stdout', Buffer.from('one\n'))
          sink.write('stderr', Buffer.from('two\n'))
          if (follow) await nextTurn()
          sink.write('stdout', Buffer.from('three\n'))
        },
      }),
    },
    exec: {
      create: async () => ({ Id: 'e1' }),
      start: async () => ({ tty: false, run: shout }),
      inspect: async () => ({ ID: 'e1', Running: false, ExitCode: 3 }) as never,
      resize: async () => {},
    },
  }
}

test('docker run attaches and exits with the code of the container', { skip }, async () => {
  await using api = await startTestApi(oneContainer())
  assert.deepEqual(await docker(api.host, ['run', 'busybox']), { code: 7, stdout: 'out\n', stderr: 'err\n' })
})

test('docker run -i passes input and its end', { skip }, async () => {
  await using api = await startTestApi(oneContainer())
  const result = await docker(api.host, ['run', '-i', 'busybox'], 'input\n')
  assert.deepEqual(result, { code: 7, stdout: 'out\nINPUT\nend\n', stderr: 'err\n' })
})

test('docker exec -i passes input and its end, and exits with the code of the process', { skip }, async () => {
  await using api = await startTestApi(oneContainer())
  const result = await docker(api.host, ['exec', '-i', 'x', 'cat'], 'x'.repeat(300_000))
  assert.deepEqual(
    [result.code, result.stdout.length, result.stderr],
    [3, 'out\n'.length + 300_000 + 'end\n'.length, 'err\n'],
  )
})

test('docker attach reads output after the end of input', { skip }, async () => {
  await using api = await startTestApi(oneContainer())
  const { stdout, stderr } = await docker(api.host, ['attach', 'x'], 'in\n')
  assert.deepEqual([stdout, stderr], ['out\nIN\nend\n', 'err\n'])
})

test('docker logs and logs -f separate the outputs', { skip }, async () => {
  await using api = await startTestApi(oneContainer())
  for (const args of [
    ['logs', 'x'],
    ['logs', '-f', 'x'],
  ]) {
    assert.deepEqual(await docker(api.host, args), { code: 0, stdout: 'one\nthree\n', stderr: 'two\n' })
  }
})

test('docker wait prints the exit code, also with an older API version', { skip }, async () => {
  await using api = await startTestApi(oneContainer())
  assert.deepEqual(await docker(api.host, ['wait', 'x']), { code: 0, stdout: '7\n', stderr: '' })
})

test('docker shows errors of the daemon', { skip }, async () => {
  await using api = await startTestApi({
    containers: {
      inspect: () => Promise.reject(notFound('No such container: x')),
      attach: () => Promise.reject(notFound('No such container: x')),
      create: async () => ({ Id: id, Warnings: [] }),
    },
  })
  const logs = await docker(api.host, ['logs', 'x'])
  assert.deepEqual([logs.code, logs.stderr], [1, 'Error response from daemon: No such container: x\n'])
  const refused = await docker(api.host, ['create', '--isolation', 'hyperv', 'busybox'])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /invalid isolation: "hyperv" - linux only supports 'default'/i)
})

test('docker pull draws progress and shows a late failure', { skip }, async () => {
  await using api = await startTestApi({
    images: {
      pull: async (_reference, { onProgress }) => {
        onProgress?.({ status: 'Pulling from library/busybox', id: 'latest' })
        onProgress?.({ status: 'Downloading', id: 'abc', progressDetail: { current: 1, total: 2 } })
        throw new Error('connection lost')
      },
    },
  })
  const { code, stdout, stderr } = await docker(api.host, ['pull', 'busybox'])
  assert.equal(code, 1)
  assert.match(stdout, /latest: Pulling from library\/busybox/)
  assert.match(stderr, /connection lost/)
})

test('docker load sends an archive of any size', { skip }, async () => {
  await using api = await startTestApi({
    images: {
      load: async (source, { onProgress }) => {
        let size = 0
        for await (const chunk of source as AsyncIterable<Buffer>) size += chunk.length
        onProgress?.({ stream: `${size}\n` })
      },
    },
  })
  const { stdout } = await docker(api.host, ['load'], 'x'.repeat(5_000_000))
  assert.equal(stdout, '5000000\n')
})

test('a CLI that is killed closes the sink of its logs', { skip }, async () => {
  const started = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  await using api = await startTestApi({
    containers: {
      inspect: async () => inspected,
      logs: async () => ({
        tty: false,
        run: (sink) => {
          sink.onClose(() => closed.resolve())
          sink.write('stdout', Buffer.from('x\n'))
          started.resolve()
          return closed.promise
        },
      }),
    },
  })
  const child = spawn('docker', ['-H', api.host, 'logs', '-f', 'x'], { stdio: 'ignore' })
  await started.promise
  child.kill('SIGKILL')
  await closed.promise
})
