/** The Engine API itself: versions, headers, errors, raw streams, as a client without a library sees them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openRequest } from '../../helpers/daemons/api.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

interface Message {
  readonly message: string
}

async function create(cmd: string[], more: Record<string, unknown> = {}): Promise<string> {
  const { status, body, text } = await daemon.api<{ Id: string }>('POST', '/containers/create', {
    Image: 'busybox',
    Cmd: cmd,
    ...more,
  })
  assert.equal(status, 201, text)
  return body.Id
}

describe('versions', () => {
  test('/_ping and its headers', async () => {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, text } = await daemon.api(method, '/_ping')
      assert.equal(status, 200)
      assert.equal(headers['api-version'], '1.51')
      assert.equal(headers.ostype, 'linux')
      assert.equal(headers['docker-experimental'], 'false')
      assert.ok(headers['builder-version'] !== undefined)
      assert.equal(headers.swarm, 'inactive')
      assert.equal(text, method === 'GET' ? 'OK' : '')
    }
  })

  for (const version of ['1.24', '1.30', '1.40', '1.44', '1.51']) {
    test(`/v${version}`, async () => {
      const { status, body } = await daemon.api<{ ApiVersion: string; MinAPIVersion: string }>(
        'GET',
        `/v${version}/version`,
      )
      assert.equal(status, 200)
      assert.equal(body.ApiVersion, '1.51')
      assert.equal(body.MinAPIVersion, '1.24')
      assert.equal((await daemon.api('GET', `/v${version}/containers/json`)).status, 200)
    })
  }

  test('a runtime that gave no version is asked again by the next request', async () => {
    const directory = mkdtempSync('/tmp/b-runtime-')
    try {
      const runtime = join(directory, 'runtime')
      const answer = (script: string) => writeFileSync(runtime, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
      answer('exit 1')
      await using other = await TestDaemon.start({
        flags: ['--add-runtime', `odd=${runtime}`, '--default-runtime', 'odd'],
      })
      const version = async () => {
        const { status, body } = await other.api<{ Components: { Name: string; Version: string }[] }>('GET', '/version')
        assert.equal(status, 200)
        return body.Components.find(({ Name }) => Name === 'odd')?.Version
      }
      assert.equal(await version(), 'unknown')
      rmSync(runtime)
      assert.equal(await version(), 'unknown')
      answer('echo odd version 9.8.7')
      assert.equal(await version(), '9.8.7')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('a version that is too new or too old is refused', async () => {
    const tooNew = await daemon.api<Message>('GET', '/v1.99/version')
    assert.equal(tooNew.status, 400)
    assert.match(tooNew.body.message, /client version 1\.99 is too new\. Maximum supported API version is 1\.51/)
    const tooOld = await daemon.api<Message>('GET', '/v1.12/version')
    assert.equal(tooOld.status, 400)
    assert.match(tooOld.body.message, /client version 1\.12 is too old\. Minimum supported API version is 1\.24/)
  })

  test('the docker CLI works at older API versions', async () => {
    for (const version of ['1.24', '1.40']) {
      const { code, stdout, stderr } = await daemon.docker(['run', '--rm', 'busybox', 'echo', version], {
        env: { DOCKER_API_VERSION: version },
      })
      assert.deepEqual([code, stdout], [0, `${version}\n`], stderr)
    }
  })
})

describe('errors', () => {
  test('a missing object gives 404', async () => {
    const unknown = await daemon.api<Message>('GET', '/v1.51/no/such/page')
    assert.equal(unknown.status, 404)
    assert.equal(unknown.body.message, 'page not found')
    const container = await daemon.api<Message>('GET', '/containers/no-such/json')
    assert.equal(container.status, 404)
    assert.equal(container.body.message, 'No such container: no-such')
    const image = await daemon.api<Message>('GET', '/images/no-such/json')
    assert.equal(image.status, 404)
    assert.match(image.body.message, /No such image: no-such/)
    const exec = await daemon.api<Message>('GET', '/exec/no-such/json')
    assert.equal(exec.status, 404)
    assert.match(exec.body.message, /No such exec instance: no-such/)
  })

  test('an unsupported feature gets 501 with its name', async () => {
    for (const [method, path] of [
      ['GET', '/swarm'],
      ['POST', '/plugins/pull'],
      ['GET', '/services'],
    ] as const) {
      const { status, body } = await daemon.api<Message>(method, path)
      assert.ok(status === 501 || status === 503, `${path}: ${status}`)
      assert.ok(body.message.length > 10)
    }
  })

  test('a body that is not JSON is refused', async () => {
    const response = await daemon.api<Message>('POST', '/containers/create', Buffer.from('{"Image": '))
    assert.equal(response.status, 400)
    assert.ok(response.body.message.length > 0)
  })

  test('create is refused without an image, or with an unknown image', async () => {
    assert.equal((await daemon.api('POST', '/containers/create', { Cmd: ['x'] })).status, 400)
    const unknown = await daemon.api<Message>('POST', '/containers/create', { Image: 'no-such', Cmd: ['x'] })
    assert.equal(unknown.status, 404)
    assert.match(unknown.body.message, /No such image: no-such:latest/)
  })
})

/** A hijacked connection: the bytes that arrive after the response's headers. */
class RawStream {
  readonly #socket: Socket
  #bytes = Buffer.alloc(0)
  readonly ended: Promise<void>

  constructor(request: string) {
    const socket = connect({ path: daemon.socket, allowHalfOpen: true })
    this.#socket = socket
    socket.write(request)
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
    })
    this.ended = new Promise((resolve, reject) => socket.once('end', resolve).once('error', reject))
  }

  async head(): Promise<string> {
    await until(() => this.#bytes.includes('\r\n\r\n'), { what: 'the headers' })
    return this.#bytes.toString('latin1', 0, this.#bytes.indexOf('\r\n\r\n'))
  }

  body(): Buffer {
    return this.#bytes.subarray(this.#bytes.indexOf('\r\n\r\n') + 4)
  }

  /** Splits multiplexed frames: stream number and text of each. */
  frames(): [stream: number, text: string][] {
    const frames: [number, string][] = []
    let rest = this.body()
    while (rest.length >= 8) {
      const length = rest.readUInt32BE(4)
      frames.push([rest[0] ?? -1, rest.toString('utf8', 8, 8 + length)])
      rest = rest.subarray(8 + length)
    }
    return frames
  }

  write(text: string): void {
    this.#socket.write(text)
  }

  /** Half-closes the connection: no more input, while output still arrives. */
  endInput(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

function hijack(path: string, upgrade: boolean, body = ''): RawStream {
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: berth',
    `Content-Length: ${body.length}`,
    'Content-Type: application/json',
  ]
  if (upgrade) lines.push('Connection: Upgrade', 'Upgrade: tcp')
  return new RawStream(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

describe('raw streams', () => {
  const interactive = { OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true }

  for (const upgrade of [true, false]) {
    test(`attach ${upgrade ? 'with 101 UPGRADED' : 'with the old 200'}: frames, half-close of stdin`, async () => {
      const id = await create(['sh', '-c', 'cat; echo err >&2; echo end'], interactive)
      const stream = hijack(`/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`, upgrade)
      const head = await stream.head()
      assert.match(head, upgrade ? /^HTTP\/1\.1 101 UPGRADED/ : /^HTTP\/1\.1 200 OK/)
      // A client that requests no upgrade is an old one, which knows no other type.
      const type = upgrade ? 'multiplexed' : 'raw'
      assert.match(head, new RegExp(`Content-Type: application/vnd\\.docker\\.${type}-stream`, 'i'))
      if (upgrade) assert.match(head, /Upgrade: tcp/i)
      await daemon.ok(['start', id])
      stream.write('some input\n')
      stream.endInput()
      await stream.ended
      assert.deepEqual(byStream(stream.frames()), { 1: 'some input\nend\n', 2: 'err\n' })
      stream.destroy()
      await daemon.ok(['wait', id])
      await daemon.ok(['rm', id])
    })
  }

  /** All of each stream. Frames end where the engine read, not where the process wrote, and the order of two pipes
   *  against each other is not fixed. The guarantee is every byte of each stream, in order. */
  function byStream(frames: [stream: number, text: string][]): Record<number, string> {
    const texts: Record<number, string> = {}
    for (const [stream, text] of frames) texts[stream] = (texts[stream] ?? '') + text
    return texts
  }

  test('attach of a terminal is raw', async () => {
    const id = await create(['sh', '-c', 'echo raw'], { ...interactive, Tty: true })
    const stream = hijack(`/containers/${id}/attach?stream=1&stdout=1`, true)
    assert.match(await stream.head(), /Content-Type: application\/vnd\.docker\.raw-stream/i)
    await daemon.ok(['start', id])
    await stream.ended
    assert.equal(stream.body().toString(), 'raw\r\n')
    stream.destroy()
    await daemon.ok(['rm', id])
  })

  test('exec start sends a hijacked stream', async () => {
    const id = await create(['sleep', '1000'])
    await daemon.ok(['start', id])
    const { body } = await daemon.api<{ Id: string }>('POST', `/containers/${id}/exec`, {
      Cmd: ['sh', '-c', 'read x; echo got $x; exit 5'],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    })
    const stream = hijack(`/exec/${body.Id}/start`, true, '{"Detach":false,"Tty":false}')
    await stream.head()
    stream.write('it\n')
    await stream.ended
    assert.deepEqual(stream.frames(), [[1, 'got it\n']])
    stream.destroy()
    const inspected = await daemon.api<{ ExitCode: number; Running: boolean }>('GET', `/exec/${body.Id}/json`)
    assert.deepEqual([inspected.body.ExitCode, inspected.body.Running], [5, false])
    await daemon.ok(['rm', '-f', id])
  })

  test('logs have frames', async () => {
    const id = await create(['sh', '-c', 'echo out; echo err >&2'])
    await daemon.ok(['start', id])
    await daemon.ok(['wait', id])
    const response = await openRequest(daemon.socket, 'GET', `/containers/${id}/logs?stdout=1&stderr=1`)
    assert.equal(response.headers['content-type'], 'application/vnd.docker.multiplexed-stream')
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    assert.equal(bytes.length, 8 + 4 + 8 + 4)
    assert.deepEqual([...new Set([bytes[0], bytes[12]])].sort(), [1, 2])
    assert.equal((await daemon.api<Message>('GET', `/containers/${id}/logs`)).status, 400)
    await daemon.ok(['rm', id])
  })

  test('attach over a websocket', async () => {
    const { WebSocket } = await import('ws')
    const id = await create(['cat'], { ...interactive, Tty: false })
    await daemon.ok(['start', id])
    const socket = new WebSocket(
      `ws+unix://${daemon.socket}:/v1.51/containers/${id}/attach/ws?stream=1&stdin=1&stdout=1`,
    )
    let received = ''
    socket.on('message', (data: Buffer) => {
      received += data.toString()
    })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    socket.send('over the socket\n')
    await until(() => received.includes('over the socket\n'), { what: 'the echo' })
    socket.close()
    await daemon.ok(['rm', '-f', id])
  })

  test('a client that disconnects affects no other client', async () => {
    const id = await create(['sh', '-c', 'while :; do echo line; done'])
    await daemon.ok(['start', id])
    const streams = Array.from({ length: 5 }, () => hijack(`/containers/${id}/attach?stream=1&stdout=1`, true))
    for (const stream of streams) await stream.head()
    for (const stream of streams) stream.destroy()
    const logs = await openRequest(daemon.socket, 'GET', `/containers/${id}/logs?follow=1&stdout=1`)
    logs.destroy()
    assert.equal((await daemon.api('GET', '/_ping')).status, 200)
    await daemon.ok(['rm', '-f', id])
  })
})

test('/containers/ID/wait sends its headers before the container exits', async () => {
  const id = await create(['sh', '-c', 'while [ ! -e /go ]; do sleep 0.02; done; exit 3'])
  await daemon.ok(['start', id])
  const response = await openRequest(daemon.socket, 'POST', `/containers/${id}/wait`)
  await daemon.ok(['exec', id, 'touch', '/go'])
  let text = ''
  for await (const chunk of response) text += chunk
  assert.equal(JSON.parse(text).StatusCode, 3)
  await daemon.ok(['rm', id])
})

test('/info describes this host', async () => {
  const { body } = await daemon.api<Record<string, unknown>>('GET', '/info')
  const { availableParallelism, totalmem, hostname, release, arch } = await import('node:os')
  assert.equal(body.NCPU, availableParallelism())
  assert.equal(body.MemTotal, totalmem())
  assert.equal(body.Name, hostname())
  assert.equal(body.KernelVersion, release())
  assert.equal(body.Architecture, arch() === 'x64' ? 'x86_64' : 'aarch64')
  assert.equal(body.DockerRootDir, daemon.dataRoot)
  assert.equal(body.DefaultRuntime, 'crun')
})
