/** The history of builds in BuildKit's protocol (`buildx history`, provenance for `--metadata-file`). */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Content } from '../../../src/build/buildkit/gen/content_pb.ts'
import { Control } from '../../../src/build/buildkit/gen/control_pb.ts'
import { historyEvent } from '../../../src/build/buildkit/history/build-history.ts'
import { GrpcError, grpcCode } from '../../../src/grpc/index.ts'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { type BuildkitClient, connectBuildkit } from '../../helpers/clients/buildkit-client.ts'
import { findCliPlugin } from '../../helpers/clients/cli-plugins.ts'
import { runCommand } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

const buildx = findCliPlugin('docker-buildx')

describe('the history of builds', {
  skip: buildx === undefined ? 'no docker-buildx (test/runner/cli-plugins)' : false,
}, () => {
  let daemon: TestDaemon
  let client: BuildkitClient
  before(async () => {
    daemon = await TestDaemon.start()
    await daemon.loadBusybox()
    client = await connectBuildkit(daemon)
  })
  after(async () => {
    client[Symbol.dispose]()
    await daemon[Symbol.asyncDispose]()
  })

  const build = (context: TestContext, args: readonly string[] = []) =>
    runCommand(buildx ?? '', ['build', '--network', 'none', '--progress', 'plain', ...args, context.path], {
      env: { DOCKER_HOST: daemon.host },
    })

  async function records(request: { readonly ref?: string; readonly filter?: string[]; readonly limit?: number } = {}) {
    const call = client.grpc.open(Control.method.listenBuildHistory)
    await call.send({ earlyExit: true, ...request })
    const found = []
    for await (const event of call.messages) found.push(event)
    return found
  }

  async function read(digest: string): Promise<string> {
    const { info } = await client.grpc.unary(Content.method.info, { digest })
    const call = client.grpc.open(Content.method.read)
    await call.send({ digest })
    call.end()
    const parts: Buffer[] = []
    for await (const { data } of call.messages) parts.push(Buffer.from(data))
    assert.equal(Buffer.concat(parts).length, Number(info?.size))
    return Buffer.concat(parts).toString()
  }

  test('a finished build has options, steps, provenance and output', async () => {
    using context = new TestContext({ Dockerfile: 'FROM busybox AS one\nARG WHO\nRUN echo "it is $WHO"\n' })
    const built = await build(context, ['--build-arg', 'WHO=me', '-t', 'history:1'])
    assert.equal(built.code, 0, built.stderr)
    const event = (await records({ limit: 1 })).at(-1)
    const record = event?.record
    assert.equal(event?.type, historyEvent.complete)
    assert.equal(record?.frontendAttrs['build-arg:WHO'], 'me')
    assert.equal(record?.exporterResponse['image.name'], 'docker.io/library/history:1')
    assert.deepEqual([record?.numCachedSteps, record?.numTotalSteps === record?.numCompletedSteps], [0, true])
    const attestation = record?.result?.attestations[0]
    assert.equal(attestation?.annotations['in-toto.io/predicate-type'], 'https://slsa.dev/provenance/v0.2')
    const predicate = JSON.parse(await read(attestation?.digest ?? '')) as {
      readonly invocation: { readonly parameters: { readonly args: Record<string, string> } }
      readonly metadata: object
    }
    assert.equal(predicate.invocation.parameters.args['build-arg:WHO'], 'me')
    assert.match(
      JSON.stringify(predicate.metadata),
      new RegExp(Buffer.from('FROM busybox AS one').toString('base64').slice(0, 20)),
    )
    const status = client.grpc.open(Control.method.status)
    await status.send({ ref: record?.ref ?? '' })
    const told = []
    for await (const message of status.messages)
      told.push(...message.logs.map(({ msg }) => Buffer.from(msg).toString()))
    assert.match(told.join(''), /it is me/)
  })

  test('failing builds, filters, pins and removal', async () => {
    using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN exit 3\n' })
    assert.equal((await build(context)).code, 1)
    const failed = await records({ filter: ['status==error'] })
    assert.deepEqual(
      failed.map(({ record }) => /exit code: 3/.test(record?.error?.message ?? '')),
      [true],
    )
    assert.equal((await records({ filter: ['status==completed,ref==none'] })).length, 0)
    await assert.rejects(records({ filter: ['color==red'] }), /invalid filter "color==red"/)
    const ref = failed[0]?.record?.ref ?? ''
    await client.grpc.unary(Control.method.updateBuildHistory, { ref, pinned: true })
    assert.deepEqual(
      (await records({ ref })).map(({ record }) => record?.pinned),
      [true],
    )
    await client.grpc.unary(Control.method.updateBuildHistory, { ref, delete: true })
    assert.deepEqual(await records({ ref }), [])
    await assert.rejects(
      client.grpc.unary(Control.method.updateBuildHistory, { ref, delete: true }),
      (error) => error instanceof GrpcError && error.code === grpcCode.notFound,
    )
  })

  test('a client that watches sees a build begin, end and be removed', async () => {
    using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN true\n' })
    const call = client.grpc.open(Control.method.listenBuildHistory)
    await call.send({ activeOnly: true })
    const events = call.messages[Symbol.asyncIterator]()
    const [started] = await Promise.all([events.next(), build(context)])
    const ref = started.value?.record?.ref ?? ''
    assert.equal(started.value?.type, historyEvent.started)
    assert.equal((await events.next()).value?.type, historyEvent.complete)
    await client.grpc.unary(Control.method.updateBuildHistory, { ref, delete: true })
    const removed = (await events.next()).value
    assert.deepEqual([removed?.type, removed?.record?.ref], [historyEvent.deleted, ref])
    call.cancel()
  })
})
