/** Unchanged third-party clients: dockerode and testcontainers. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import Docker from 'dockerode'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let registry: TestRegistry
let reference: string

before(async () => {
  daemon = await TestDaemon.start()
  registry = await TestRegistry.start()
  const path = `${daemon.root}/image.tar`
  await writeBusyboxArchive({ path })
  reference = await registry.push(path, 'busybox:latest')
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
})

describe('dockerode', () => {
  let docker: Docker
  before(() => {
    docker = new Docker({ socketPath: daemon.socket })
  })

  test('pulls with progress', async () => {
    const stream = await docker.pull(reference)
    const messages: { status?: string }[] = await new Promise((resolve, reject) => {
      docker.modem.followProgress(stream, (error, output) => (error === null ? resolve(output) : reject(error)))
    })
    assert.ok(messages.some(({ status }) => status === 'Pull complete'))
    assert.equal((await docker.listImages()).length, 1)
  })

  test('runs with output', async () => {
    const stdout = new PassThrough()
    const stderr = new PassThrough()
    let out = ''
    stdout.on('data', (chunk) => {
      out += chunk
    })
    stderr.resume()
    const [result, container] = await docker.run(
      reference,
      ['sh', '-c', 'echo from dockerode; exit 4'],
      [stdout, stderr],
      { Tty: false },
    )
    assert.equal(result.StatusCode, 4)
    await container.remove()
    // The output has its own connection, so the client may read the answer to wait first.
    await until(() => out === 'from dockerode\n', { what: () => `the output, not ${JSON.stringify(out)}` })
  })

  test('creates, starts, execs, reads logs, inspects, stops and removes', async () => {
    const container = await docker.createContainer({
      Image: reference,
      Cmd: ['sh', '-c', 'echo started; sleep 1000'],
      name: 'rode',
    })
    await container.start()
    const exec = await container.exec({ Cmd: ['echo', 'in exec'], AttachStdout: true, AttachStderr: true })
    const stream = await exec.start({ hijack: true, stdin: false })
    const out = new PassThrough()
    let text = ''
    out.on('data', (chunk) => {
      text += chunk
    })
    docker.modem.demuxStream(stream, out, out)
    await new Promise((resolve) => stream.on('end', resolve))
    assert.equal(text, 'in exec\n')
    assert.equal((await exec.inspect()).ExitCode, 0)
    const logs = await container.logs({ stdout: true, stderr: true, follow: false })
    assert.match(logs.toString('latin1'), /started/)
    assert.equal((await container.inspect()).State.Running, true)
    await container.stop({ t: 0 })
    await container.remove()
    await assert.rejects(container.inspect(), { statusCode: 404 })
  })

  test('attaches with stdin over a hijacked connection', async () => {
    const container = await docker.createContainer({
      Image: reference,
      Cmd: ['cat'],
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      Tty: false,
    })
    const stream = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true })
    const out = new PassThrough()
    let text = ''
    out.on('data', (chunk) => {
      text += chunk
    })
    docker.modem.demuxStream(stream, out, out)
    const ended = new Promise((resolve) => stream.on('end', resolve))
    await container.start()
    stream.write('typed\n')
    stream.end()
    await ended
    assert.equal(text, 'typed\n')
    assert.equal((await container.wait()).StatusCode, 0)
    await container.remove()
  })

  test('gets the exit code of a container with AutoRemove that is gone already', async () => {
    const options = { Image: reference, Cmd: ['sh', '-c', 'exit 7'], HostConfig: { AutoRemove: true } }
    const container = await docker.createContainer({ ...options, name: 'fast' })
    await container.start()
    const isGone = () =>
      container.inspect().then(
        () => false,
        (error: { statusCode?: number }) => error.statusCode === 404,
      )
    await until(isGone, { what: 'the removal' })
    assert.equal((await container.wait()).StatusCode, 7)
    for (const name of ['fast', container.id.slice(0, 12)]) {
      for (const condition of ['not-running', 'next-exit', 'removed'] as const) {
        assert.equal((await docker.getContainer(name).wait({ condition })).StatusCode, 7, `${name} ${condition}`)
      }
    }
    // A container that never ran has no exit code, and one without AutoRemove is gone when the client removes it.
    const unstarted = await docker.createContainer({ ...options, name: 'unstarted' })
    await unstarted.remove()
    await assert.rejects(unstarted.wait(), { statusCode: 404 })
    const kept = await docker.createContainer({ Image: reference, Cmd: ['true'] })
    await kept.start()
    await kept.wait()
    await kept.remove()
    await assert.rejects(kept.wait(), { statusCode: 404 })
  })

  test('reads events', async () => {
    const events = await docker.getEvents({ filters: { type: ['container'], event: ['create'] } })
    const first = new Promise<{ Action: string }>((resolve) => {
      events.once('data', (chunk: Buffer) => resolve(JSON.parse(chunk.toString())))
    })
    const container = await docker.createContainer({ Image: reference })
    assert.equal((await first).Action, 'create')
    ;(events as NodeJS.ReadableStream & { destroy(): void }).destroy()
    await container.remove()
  })
})

describe('testcontainers', () => {
  before(() => {
    process.env.DOCKER_HOST = daemon.host
    process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'
    process.env.TESTCONTAINERS_HOST_OVERRIDE = '127.0.0.1'
  })

  test('a container with a published port and a log wait strategy works', async () => {
    const { GenericContainer, Wait } = await import('testcontainers')
    const container = await new GenericContainer(reference)
      .withCommand([
        'sh',
        '-c',
        'mkdir /www; echo from testcontainers >/www/index.html; httpd -p 80 -h /www; echo ready to serve; sleep 1000',
      ])
      .withExposedPorts(80)
      .withEnvironment({ SOME: 'value' })
      .withWaitStrategy(Wait.forLogMessage('ready to serve'))
      .start()
    try {
      const response = await fetch(`http://${container.getHost()}:${container.getMappedPort(80)}/`)
      assert.equal(await response.text(), 'from testcontainers\n')
      const { exitCode, output } = await container.exec(['sh', '-c', 'echo $SOME'])
      assert.deepEqual([exitCode, output], [0, 'value\n'])
    } finally {
      await container.stop()
    }
    assert.deepEqual((await daemon.api<unknown[]>('GET', '/containers/json?all=1')).body, [])
  })

  test('waiting for a listening port and for HTTP works', async () => {
    const { GenericContainer, Wait } = await import('testcontainers')
    const script = 'mkdir /www; echo ok >/www/index.html; sleep 0.3; exec httpd -f -p 8080 -h /www'
    const container = await new GenericContainer(reference)
      .withCommand(['sh', '-c', script])
      .withExposedPorts(8080)
      .withWaitStrategy(Wait.forAll([Wait.forListeningPorts(), Wait.forHttp('/', 8080)]))
      .start()
    await container.stop()
  })
})
