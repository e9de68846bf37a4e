/** `berth build --output`: archives, files, registries; attestations; the files that describe the result. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { berthBuild, failedBuild } from '../../helpers/clients/berth-build.ts'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'

let daemon: TestDaemon
let registry: TestRegistry
before(async () => {
  ;[daemon, registry] = await Promise.all([TestDaemon.start(), TestRegistry.start()])
  await daemon.loadBusybox()
})
after(async () => {
  await daemon[Symbol.asyncDispose]()
  await registry[Symbol.asyncDispose]()
})

const build = async (...args: readonly string[]) => (await berthBuild(daemon, ['--network', 'none', ...args])).stdout
const fails = (...args: readonly string[]) => failedBuild(daemon, args)

const small = { Dockerfile: 'FROM scratch\nCOPY a /dir/a\nLABEL l=v\n', a: 'A' }

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

test('type=oci is a layout that skopeo reads, with the same bytes each time', async () => {
  using context = new TestContext(small)
  const archive = context.beside('image.tar')
  await build(
    '-o',
    `type=oci,dest=${archive}`,
    '-t',
    'app:1',
    '--build-arg',
    'SOURCE_DATE_EPOCH=1700000000',
    context.path,
  )
  const shown = JSON.parse(await runOrThrow('skopeo', ['inspect', `oci-archive:${archive}`]))
  assert.deepEqual([shown.Labels, shown.Created], [{ l: 'v' }, '2023-11-14T22:13:20Z'])
  const again = context.beside('again.tar')
  await build(
    '-o',
    `type=oci,dest=${again},rewrite-timestamp=true`,
    '-t',
    'app:1',
    '--no-cache',
    '--build-arg',
    'SOURCE_DATE_EPOCH=1700000000',
    context.path,
  )
  const third = context.beside('third.tar')
  await build(
    '-o',
    `type=oci,dest=${third},rewrite-timestamp=true`,
    '-t',
    'app:1',
    '--no-cache',
    '--build-arg',
    'SOURCE_DATE_EPOCH=1700000000',
    context.path,
  )
  const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
  assert.equal(digest(again), digest(third))
  assert.doesNotMatch(await daemon.ok(['images', '-q', 'app:1']), /\S/, 'an archive is no image of the engine')
})

test('type=docker can be read by docker load, also from stdout', async () => {
  using context = new TestContext(small)
  const archive = context.beside('image.tar')
  await build('-o', `type=docker,dest=${archive}`, '-t', 'loaded:1', context.path)
  assert.match(await daemon.ok(['load', '-i', archive]), /Loaded image: loaded:1/)
  assert.equal(await daemon.ok(['inspect', '-f', '{{.Config.Labels.l}}', 'loaded:1']), 'v')
  const stdout = await build('-o', 'type=docker,dest=-,compression=zstd', '-q', context.path)
  assert.match(stdout, /manifest\.json/)
})

test('type=local writes the files, type=tar archives them', async () => {
  using context = new TestContext({
    ...small,
    Dockerfile:
      'FROM busybox AS b\nRUN mkdir -p /x/e && ln -s a /x/l\nFROM scratch\nCOPY --from=b /x /x\nCOPY a /dir/a\n',
  })
  const directory = context.beside('out')
  await build('-o', directory, context.path)
  assert.deepEqual(readdirSync(directory).sort(), ['dir', 'x'])
  assert.equal(readFileSync(join(directory, 'dir/a'), 'utf8'), 'A')
  await build(
    '-o',
    `type=tar,dest=${context.beside('root.tar')}`,
    '--build-arg',
    'SOURCE_DATE_EPOCH=1700000000',
    context.path,
  )
  const listed = await runOrThrow('tar', ['--utc', '-tvf', context.beside('root.tar')])
  assert.match(listed, /^-rw-r--r-- 0\/0 .* dir\/a$/m)
  for (const line of listed.trim().split('\n')) assert.match(line, / 2023-11-14 22:13 /)
})

test('type=oci,tar=false writes a directory', async () => {
  using context = new TestContext(small)
  await build('-o', `type=oci,tar=false,dest=${context.beside('layout')}`, '-t', 'x:1', context.path)
  const shown = JSON.parse(await runOrThrow('skopeo', ['inspect', `oci:${context.beside('layout')}:1`]))
  assert.equal(shown.Labels.l, 'v')
})

test('--push pushes the image and keeps it; type=registry only pushes it', async () => {
  using context = new TestContext(small)
  const [kept, sent] = [`${registry.name}/kept:1`, `${registry.name}/sent:1`]
  await build('--push', '-t', kept, '--metadata-file', context.beside('meta'), context.path)
  const shown = JSON.parse(await runOrThrow('skopeo', ['inspect', '--tls-verify=false', `docker://${kept}`]))
  assert.equal(shown.Digest, json(context.beside('meta'))['containerimage.digest'])
  assert.match(await daemon.ok(['inspect', '-f', '{{.RepoDigests}}', kept]), new RegExp(shown.Digest))
  await build('-o', `type=registry,name=${sent}`, context.path)
  await runOrThrow('skopeo', ['inspect', '--tls-verify=false', `docker://${sent}`])
  assert.equal(await daemon.ok(['images', '-q', sent]), '')
  assert.match(await fails('--push', context.path), /tag is needed when pushing to registry/)
})

test('--iidfile, --metadata-file and --quiet describe the result', async () => {
  using context = new TestContext(small)
  const [iid, meta] = [context.beside('iid'), context.beside('meta')]
  const stdout = await build('-q', '-t', 'files:1', '--iidfile', iid, '--metadata-file', meta, context.path)
  const id = await daemon.ok(['inspect', '-f', '{{.Id}}', 'files:1'])
  assert.deepEqual([stdout, readFileSync(iid, 'utf8')], [`${id}\n`, id])
  const { 'containerimage.config.digest': config, 'image.name': name } = json(meta)
  assert.deepEqual([config, name], [id, 'docker.io/library/files:1'])
})

test('two targets in one build', async () => {
  using context = new TestContext({
    Dockerfile:
      'FROM busybox AS common\nRUN echo c > /c\nFROM common AS one\nLABEL n=1\nFROM common AS two\nLABEL n=2\nFROM common\nRUN false\n',
  })
  const iid = context.beside('iid')
  await build(
    '--target',
    'one',
    '--target',
    'two',
    '-t',
    'one=multi:one',
    '-t',
    'two=multi:two',
    '--iidfile',
    iid,
    context.path,
  )
  const ids = await Promise.all(['one', 'two'].map((tag) => daemon.ok(['inspect', '-f', '{{.Id}}', `multi:${tag}`])))
  assert.equal(readFileSync(iid, 'utf8'), ids.join('\n'))
  assert.equal(await daemon.ok(['inspect', '-f', '{{.Config.Labels.n}}', 'multi:two']), '2')
})

test('provenance and SBOM are attached as manifests of an index, and are pushed later too', async () => {
  using context = new TestContext({
    Dockerfile: 'FROM busybox\nCOPY status /var/lib/dpkg/status\nARG A=secretless\n',
    status: 'Package: thing\nVersion: 1.2\nArchitecture: all\nStatus: install ok installed\n\n',
  })
  const reference = `${registry.name}/attested:1`
  await build(
    '-t',
    reference,
    '--provenance',
    'mode=max',
    '--sbom',
    'true',
    '--annotation',
    'index:who=me',
    '--build-arg',
    'A=given',
    context.path,
  )
  await daemon.ok(['push', reference])
  const raw = async (target: string) =>
    JSON.parse(
      await runOrThrow('skopeo', [
        'inspect',
        '--raw',
        '--tls-verify=false',
        `docker://${registry.name}/attested${target}`,
      ]),
    )
  const index = await raw(':1')
  assert.deepEqual(index.annotations, { who: 'me' })
  const [image, attestation] = index.manifests
  assert.deepEqual(attestation.annotations, {
    'vnd.docker.reference.digest': image.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  })
  const { layers } = await raw(`@${attestation.digest}`)
  const statements = []
  for (const layer of layers) {
    assert.equal(layer.mediaType, 'application/vnd.in-toto+json')
    const response = await fetch(`http://${registry.name}/v2/attested/blobs/${layer.digest}`)
    statements.push(JSON.parse(await response.text()))
  }
  const [provenance, sbom] = statements
  assert.equal(provenance.predicate.invocation.parameters.args['build-arg:A'], 'given')
  assert.deepEqual(provenance.subject[0].digest, { sha256: image.digest.slice(7) })
  assert.deepEqual(
    sbom.predicate.packages.map(({ name, versionInfo }: { name: string; versionInfo: string }) => [name, versionInfo]),
    [['thing', '1.2']],
  )
  await daemon.ok(['system', 'df'])
  assert.match(
    JSON.stringify(
      JSON.parse(await runOrThrow('skopeo', ['inspect', '--tls-verify=false', `docker://${reference}`])).Env,
    ),
    /PATH/,
  )
})

test('attestations are files next to those of type=local', async () => {
  using context = new TestContext(small)
  await build('-o', context.beside('out'), '--provenance', 'true', '--sbom', 'true', context.path)
  assert.deepEqual(readdirSync(context.beside('out')).sort(), ['dir', 'provenance.json', 'sbom.spdx.json'])
  assert.equal(json(context.beside('out/provenance.json')).predicateType, 'https://slsa.dev/provenance/v0.2')
})

test('output options that are not supported are refused by name', async () => {
  using context = new TestContext(small)
  assert.match(
    await fails('-o', 'type=image,colour=red', context.path),
    /unknown option "colour" for the image exporter/,
  )
  assert.match(
    await fails('-o', `type=oci,dest=${context.beside('x')},compression=estargz`, context.path),
    /compression estargz/,
  )
  assert.equal(existsSync(context.beside('x')), false)
  assert.match(
    await fails('-o', `type=local,dest=${context.beside('y')},mode=x`, context.path),
    /unknown option "mode" for the local exporter/,
  )
  assert.match(await fails('--attest', 'type=provenance,mode=most', context.path), /invalid mode "most"/)
})

test("--squash merges the build's own layers into one", async () => {
  using context = new TestContext({
    Dockerfile:
      'FROM busybox\nRUN mkdir -p /d/e && echo 1 > /d/one && echo 2 > /d/e/two && ln /d/one /hard\nRUN rm -r /d/e && echo new > /d/one && rm /bin/vi\nRUN rm -r /home && mkdir -m 700 /home && echo h > /home/h\n',
  })
  await build('-t', 'many:1', context.path)
  await build('-t', 'squashed:1', '--squash', context.path)
  const layers = async (name: string) =>
    JSON.parse(await daemon.ok(['inspect', '-f', '{{json .RootFS.Layers}}', name])).length
  assert.deepEqual([await layers('many:1'), await layers('squashed:1')], [4, 2])
  const listing = (name: string) =>
    daemon.ok([
      'run',
      '--rm',
      '--network',
      'none',
      name,
      'sh',
      '-c',
      'find / -xdev ! -path "/etc/*" ! -name .dockerenv -exec stat -c "%n %a %u:%g %F" {} + | sort; cat /d/one /hard /home/h',
    ])
  assert.equal(await listing('squashed:1'), await listing('many:1'))
  assert.match(await daemon.ok(['history', 'squashed:1']), /merge sha256:/)
})

test('pushed images and OCI archives have provenance by default', async () => {
  using context = new TestContext(small)
  const raw = async (name: string) =>
    JSON.parse(await runOrThrow('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${name}`]))
  const [name, meta] = [`${registry.name}/stated:1`, context.beside('meta')]
  await build('--push', '-t', name, '--metadata-file', meta, context.path)
  const types = (await raw(name)).manifests.map(
    (one: { readonly annotations?: Readonly<Record<string, string>> }) =>
      one.annotations?.['vnd.docker.reference.type'],
  )
  assert.deepEqual(types, [undefined, 'attestation-manifest'])
  assert.match(json(meta)['buildx.build.provenance'].buildType, /mobyproject\.org\/buildkit/)
  await build('--push', '-t', name, '--provenance=false', '--metadata-file', meta, context.path)
  assert.equal((await raw(name)).manifests, undefined)
  assert.equal(json(meta)['buildx.build.provenance'], undefined)
  const directory = context.beside('files')
  await build('-o', directory, context.path)
  assert.deepEqual(readdirSync(directory), ['dir'])
})
