import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, test } from 'node:test'
import {
  type FakeAnswer,
  type FakeEngine,
  type FakeUpgrade,
  frame,
  sendJson,
  startFakeEngine,
} from '../../testing/fake-engine.ts'
import { CapturedOutput, dockerPath, givenInput, runBerth, runDocker } from '../../testing/run-cli.ts'

/** A container that prints, reads its input to the end, prints that, and ends with `exitCode`. */
interface FakeContainer {
  readonly exitCode: number
  readonly output?: (input: string) => readonly Buffer[]
  readonly startError?: string
  readonly tty?: boolean
  readonly waitsForInput?: boolean
}

interface Running {
  engine: FakeEngine
  images: boolean
}

let running: Running | undefined

async function start(container: FakeContainer, { imageMissing = false } = {}): Promise<FakeEngine> {
  const ended = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  let pulled = !imageMissing
  const routes: Record<string, FakeAnswer> = {
    'POST /containers/create': (_, response) => {
      if (pulled) sendJson(response, 201, { Id: 'c0ffee', Warnings: [] })
      else sendJson(response, 404, { message: 'No such image: x:latest' })
    },
    'POST /images/create': (_, response) => {
      pulled = true
      response.write('{"status":"Pulling from library/x","id":"latest"}\n')
      response.write('{"status":"Downloading","progressDetail":{"current":5,"total":10},"id":"aaa"}\n')
      response.end('{"status":"Status: Downloaded newer image for x:latest"}\n')
    },
    'POST /containers/c0ffee/start': (_, response) => {
      if (container.startError !== undefined) {
        sendJson(response, 400, { message: container.startError })
        ended.resolve()
        return
      }
      started.resolve()
      response.writeHead(204).end()
    },
    'POST /containers/c0ffee/wait': (_, response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.flushHeaders()
      void ended.promise.then(() => response.end(JSON.stringify({ StatusCode: container.exitCode })))
    },
    'POST /containers/c0ffee/resize': (_, response) => response.writeHead(200).end(),
    'GET /containers/c0ffee/json': {
      Id: 'c0ffee',
      Config: { Tty: container.tty === true, OpenStdin: true },
      HostConfig: {},
      State: { Running: true },
    },
    'POST /containers/c0ffee/exec': { Id: 'e1' },
    'GET /exec/e1/json': { ID: 'e1', Running: false, ExitCode: container.exitCode },
  }
  const attach: FakeUpgrade = (_, socket) => {
    let input = ''
    socket.on('data', (chunk: Buffer) => {
      input += chunk.toString()
    })
    const finish = async (): Promise<void> => {
      await started.promise
      for (const chunk of container.output?.(input) ?? []) socket.write(chunk)
      socket.end()
      ended.resolve()
    }
    if (container.waitsForInput === true) socket.on('end', () => void finish())
    else void finish()
    socket.on('error', () => undefined)
  }
  const exec: FakeUpgrade = (request, socket) => {
    started.resolve()
    attach(request, socket)
  }
  const engine = await startFakeEngine(routes, {
    'POST /containers/c0ffee/attach': attach,
    'POST /exec/e1/start': exec,
  })
  running = { engine, images: pulled }
  return engine
}

beforeEach(() => {
  running = undefined
})

afterEach(async () => {
  await running?.engine.close()
})

function host(engine: FakeEngine): string[] {
  return ['-H', `unix://${engine.socketPath}`]
}

test('run prints the output and ends with the exit code', async () => {
  const engine = await start({ exitCode: 7, output: () => [frame(1, 'out\n'), frame(2, 'err\n'), frame(1, 'more\n')] })
  const result = await runBerth([...host(engine), 'run', '--rm', 'x', 'cmd'])
  assert.deepEqual(result, { exitCode: 7, stdout: 'out\nmore\n', stderr: 'err\n' })
  const paths = engine.requests.map(({ path }) => path)
  assert.ok(paths.indexOf('/containers/c0ffee/wait') < paths.indexOf('/containers/c0ffee/start'))
  assert.ok(paths.indexOf('/containers/c0ffee/attach') < paths.indexOf('/containers/c0ffee/start'))
  assert.equal(engine.requests.find(({ path }) => path.endsWith('/wait'))?.query.get('condition'), 'removed')
})

test('run -i sends the input and half-closes at its end', async () => {
  const engine = await start({ exitCode: 0, waitsForInput: true, output: (input) => [frame(1, `got ${input}`)] })
  const result = await runBerth([...host(engine), 'run', '-i', 'x'], { input: givenInput('hello') })
  assert.deepEqual(result, { exitCode: 0, stdout: 'got hello', stderr: '' })
})

test('run -it makes the terminal raw and restores it', async () => {
  const engine = await start({ exitCode: 3, tty: true, output: () => [Buffer.from('raw \x1b[1m')] })
  const input = givenInput('', { isTerminal: true, open: true })
  const output = new CapturedOutput({ isTerminal: true, columns: 100 })
  const result = await runBerth([...host(engine), 'run', '-it', 'x'], { input, output })
  assert.deepEqual(result, { exitCode: 3, stdout: 'raw \x1b[1m', stderr: '' })
  assert.deepEqual(input.raw, [true, false])
  const body = JSON.parse(engine.requests[0]?.body ?? '{}') as { HostConfig: { ConsoleSize: number[] } }
  assert.deepEqual(body.HostConfig.ConsoleSize, [24, 100])
})

test('run -it ends at the detach keys and leaves the container running', async () => {
  const engine = await start({ exitCode: 3, tty: true, waitsForInput: true })
  const input = givenInput('ab\x10\x11', { isTerminal: true, open: true })
  const result = await runBerth([...host(engine), 'run', '-it', 'x'], {
    input,
    output: new CapturedOutput({ isTerminal: true }),
  })
  assert.equal(result.exitCode, 0)
})

test('run -d prints the id', async () => {
  const engine = await start({ exitCode: 0 })
  const result = await runBerth([...host(engine), 'run', '-d', 'x'])
  assert.deepEqual(result, { exitCode: 0, stdout: 'c0ffee\n', stderr: '' })
})

test('run pulls a missing image', async () => {
  const engine = await start({ exitCode: 0, output: () => [frame(1, 'ran\n')] }, { imageMissing: true })
  const result = await runBerth([...host(engine), 'run', 'x'])
  assert.equal(result.stdout, 'ran\n')
  assert.match(result.stderr, /^Unable to find image 'x:latest' locally\nlatest: Pulling from library\/x\n/)
  const pull = engine.requests.find(({ path }) => path === '/images/create')
  assert.equal(pull?.query.get('fromImage'), 'x')
  assert.equal(pull?.query.get('tag'), 'latest')
})

test('run --pull never does not pull', async () => {
  const engine = await start({ exitCode: 0 }, { imageMissing: true })
  const result = await runBerth([...host(engine), 'run', '--pull', 'never', 'x'])
  assert.equal(result.exitCode, 125)
  assert.match(result.stderr, /^berth: Error response from daemon: No such image: x:latest\n\nRun 'berth run --help'/)
})

const startErrors: readonly (readonly [string, number])[] = [
  ['exec: "nope": executable file not found in $PATH: unknown', 127],
  ['exec: "/x": permission denied: unknown', 126],
  ['exec: "/": is a directory: unknown', 126],
  ['driver failed programming external connectivity', 125],
]

for (const [message, code] of startErrors) {
  for (const detach of [[], ['-d']]) {
    test(`run ${detach.join('')} ends with ${code}: ${message}`, async () => {
      const engine = await start({ exitCode: 0, startError: message })
      const result = await runBerth([...host(engine), 'run', ...detach, 'x'])
      const stderr = `berth: Error response from daemon: ${message}\n\nRun 'berth run --help' for more information\n`
      assert.deepEqual(result, { exitCode: code, stdout: '', stderr })
    })
  }
}

const skip = dockerPath() === undefined ? 'the official docker CLI is not on the PATH' : false

const alike: readonly (readonly [readonly string[], FakeContainer])[] = [
  [['run', 'x'], { exitCode: 5, output: () => [frame(1, 'a\n'), frame(2, 'b\n')] }],
  [['run', '--rm', 'x', 'nope'], { exitCode: 0, startError: 'exec: "nope": executable file not found in $PATH' }],
  [['run', '-d', 'x'], { exitCode: 0 }],
  [['run', '-a', 'stderr', 'x'], { exitCode: 0, output: () => [frame(2, 'only\n')] }],
  [['start', '-a', 'c0ffee'], { exitCode: 9, output: () => [frame(1, 'again\n')] }],
  [['exec', 'c0ffee', 'ls', '-l'], { exitCode: 4, output: () => [frame(1, 'ls\n'), frame(2, 'warn\n')] }],
  [['exec', '-i', 'c0ffee', 'cat'], { exitCode: 0, waitsForInput: true, output: (input) => [frame(1, input)] }],
  [['exec', '-d', 'c0ffee', 'ls'], { exitCode: 0 }],
]

for (const [args, container] of alike) {
  test(`like docker: ${args.join(' ')}`, { skip }, async () => {
    let engine = await start(container)
    const expected = await runDocker([...host(engine), ...args], 'input')
    await engine.close()
    engine = await start(container)
    const actual = await runBerth([...host(engine), ...args], { input: givenInput('input') })
    assert.deepEqual(actual, { ...expected, stderr: expected.stderr.replaceAll('docker', 'berth') })
  })
}
