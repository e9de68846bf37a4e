/** Builds given as LLB, and access to results: calls of clients over BuildKit's gateway. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { newId } from '../../../src/base/index.ts'
import { Control } from '../../../src/build/buildkit/gen/control_pb.ts'
import { LLBBridge } from '../../../src/build/buildkit/gen/gateway_pb.ts'
import { DefinitionSchema, OpSchema } from '../../../src/build/buildkit/gen/pb_pb.ts'
import { sourceDefinition } from '../../../src/build/buildkit/request/llb-source.ts'
import { digestOf } from '../../../src/oci/index.ts'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { type BuildkitClient, connectBuildkit } from '../../helpers/clients/buildkit-client.ts'
import { findCliPlugin } from '../../helpers/clients/cli-plugins.ts'
import { runCommand, runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

const buildx = findCliPlugin('docker-buildx')
let daemon: TestDaemon
let files: TestContext
let server: Server
let address: string
before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  files = new TestContext({
    'one.Dockerfile': 'FROM busybox\nCOPY a /fetched\n',
    'docker-bake.hcl': 'target "default" {\n dockerfile = "one.Dockerfile"\n tags = ["llb:bake"]\n}\n',
    a: 'A',
  })
  const repository = files.beside('repository')
  const git = (...args: string[]) =>
    runOrThrow('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', '-C', files.path, ...args])
  await git('init', '-q', '-b', 'main', '.')
  await git('add', '.')
  await git('commit', '-q', '-m', 'one')
  await git('clone', '-q', '--bare', files.path, `${repository}.git`)
  await runOrThrow('git', ['-C', `${repository}.git`, 'update-server-info'])
  server = createServer(({ url = '' }, response) => {
    const [path = ''] = url.split('?')
    try {
      response.end(readFileSync(join(path.startsWith('/repository.git/') ? files.beside('.') : files.path, path)))
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(async () => {
  server.close()
  files[Symbol.dispose]()
  await daemon[Symbol.asyncDispose]()
})

describe('buildx', { skip: buildx === undefined ? 'no docker-buildx (test/runner/cli-plugins)' : false }, () => {
  async function ok(...args: readonly string[]): Promise<string> {
    const { code, stderr } = await runCommand(buildx ?? '', args, { env: { DOCKER_HOST: daemon.host } })
    assert.equal(code, 0, stderr)
    return stderr
  }

  test('fetches a Dockerfile through the builder', async () => {
    await ok('build', '--progress', 'plain', '-f', `${address}/one.Dockerfile`, '-t', 'llb:url', files.path)
    assert.equal(await daemon.ok(['run', '--rm', '--network', 'none', 'llb:url', 'cat', '/fetched']), 'A')
  })

  test('fetches a bake file and its context from a repository', async () => {
    await ok('bake', '--progress', 'plain', `${address}/repository.git#main`)
    assert.equal(await daemon.ok(['run', '--rm', '--network', 'none', 'llb:bake', 'cat', '/fetched']), 'A')
  })
})

describe('the gateway', () => {
  /** Starts a build that the test controls; it ends with the test. */
  async function drive(use: (client: BuildkitClient, metadata: Record<string, string>) => Promise<void>) {
    using client = await connectBuildkit(daemon)
    const ref = newId()
    const solving = client.grpc.unary(Control.method.solve, { ref, session: client.session, internal: true })
    solving.catch(() => {})
    const metadata = { 'buildkit-controlapi-buildid': ref }
    await use(client, metadata)
    await client.grpc.unary(LLBBridge.method.return, { result: {} }, { metadata })
    await solving
  }

  test('reads files, directories and metadata of a source', async () => {
    await drive(async ({ grpc }, metadata) => {
      const definition = sourceDefinition('docker-image://docker.io/library/busybox:latest', {}, undefined)
      const { result } = await grpc.unary(LLBBridge.method.solve, { definition }, { metadata })
      assert.equal(result?.result.case, 'ref')
      const ref = result?.result.case === 'ref' ? result.result.value.id : ''
      const { entries } = await grpc.unary(
        LLBBridge.method.readDir,
        { ref, dirPath: '/bin', includePattern: 'busyb*' },
        { metadata },
      )
      assert.deepEqual(
        entries.map(({ path }) => path),
        ['busybox'],
      )
      const { stat } = await grpc.unary(LLBBridge.method.statFile, { ref, path: '/bin/busybox' }, { metadata })
      const range = { offset: 1n, length: 3n }
      const { data } = await grpc.unary(
        LLBBridge.method.readFile,
        { ref, filePath: 'bin/busybox', range },
        { metadata },
      )
      assert.deepEqual([Buffer.from(data).toString(), stat?.size], ['ELF', entries[0]?.size])
      for (const [path, expected] of [
        ['/none', /\/none: no such file or directory/],
        ['/bin', /read \/bin: not a regular file/],
      ] as const)
        await assert.rejects(grpc.unary(LLBBridge.method.readFile, { ref, filePath: path }, { metadata }), expected)
    })
  })

  test('gives the configuration of an image', async () => {
    await drive(async ({ grpc }, metadata) => {
      const ask = { ref: 'docker.io/library/busybox:latest' }
      const { config } = await grpc.unary(LLBBridge.method.resolveImageConfig, ask, { metadata })
      const { rootfs } = JSON.parse(Buffer.from(config).toString()) as { readonly rootfs: { diff_ids: string[] } }
      const layers = JSON.parse(await daemon.ok(['inspect', '-f', '{{json .RootFS.Layers}}', 'busybox'])) as string[]
      assert.deepEqual(rootfs.diff_ids, layers)
    })
  })

  test('builds a source for an exporter, and refuses other operations by name', async () => {
    using client = await connectBuildkit(daemon)
    const solve = (definition: ReturnType<typeof sourceDefinition>) =>
      client.grpc.unary(Control.method.solve, {
        ref: newId(),
        session: client.session,
        definition,
        exporters: [{ type: 'image', attrs: { name: 'llb:source' } }],
      })
    const attrs = { 'http.filename': 'named', 'http.perm': '420', 'http.uid': '7' }
    const { exporterResponse } = await solve(sourceDefinition(`${address}/a`, attrs, undefined))
    assert.equal(exporterResponse['image.name'], 'docker.io/library/llb:source')
    using context = new TestContext({ Dockerfile: 'FROM busybox\nCOPY --from=llb:source / /got\n' })
    await daemon.ok(['build', '-t', 'llb:got', context.path], { env: { DOCKER_BUILDKIT: '0' } })
    const shown = await daemon.ok([
      'run',
      '--rm',
      '--network',
      'none',
      'llb:got',
      'stat',
      '-c',
      '%n %a %u',
      '/got/named',
    ])
    assert.equal(shown, '/got/named 644 7')
    const wrong = { ...attrs, 'http.checksum': `sha256:${'0'.repeat(64)}` }
    await assert.rejects(solve(sourceDefinition(`${address}/a`, wrong, undefined)), /digest mismatch sha256:/)
    await assert.rejects(
      solve(sourceDefinition('ftp://host/a', {}, undefined)),
      /LLB's source "ftp:\/\/host\/a" is not/,
    )
    for (const [member, name] of [
      ['exec', 'ExecOp'],
      ['file', 'FileOp'],
      ['merge', 'MergeOp'],
      ['diff', 'DiffOp'],
      ['build', 'BuildOp'],
    ] as const) {
      const op = toBinary(OpSchema, create(OpSchema, { [member]: Buffer.from([10, 0]) }))
      const digest = digestOf(Buffer.from(op))
      const end = toBinary(OpSchema, create(OpSchema, { inputs: [{ digest, index: 0n }] }))
      await assert.rejects(
        solve(create(DefinitionSchema, { def: [op, end] })),
        new RegExp(`LLB's ${name} is not implemented in this version of Berth`),
      )
    }
  })
})
