/** `berth build` for several platforms at once: one image under one name, in the store, in registries, in archives
 *  and in directories. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { berthBuild, failedBuild } from '../../helpers/clients/berth-build.ts'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { runCommand, runOrThrow } from '../../helpers/command.ts'
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

const both = ['--network', 'none', '--platform', 'linux/amd64,linux/arm64']
const host = process.arch === 'arm64' ? 'arm64' : 'amd64'
const foreign = host === 'arm64' ? 'amd64' : 'arm64'

const build = async (...args: readonly string[]) => (await berthBuild(daemon, ['--progress', 'plain', ...args])).stderr
const fails = (...args: readonly string[]) => failedBuild(daemon, args)

const cross = {
  Dockerfile: `FROM --platform=$BUILDPLATFORM busybox AS shared
RUN echo "$RANDOM" >/shared
FROM --platform=$BUILDPLATFORM busybox AS compiler
ARG TARGETARCH
RUN echo "for $TARGETARCH" >/out
FROM scratch
ARG TARGETPLATFORM
COPY --from=shared /shared /shared
COPY --from=compiler /out /out
LABEL platform=$TARGETPLATFORM
`,
}

async function api(path: string): Promise<unknown> {
  const answer = await runOrThrow('curl', ['-s', '--unix-socket', daemon.socket, `http://x/v1.49${path}`])
  return JSON.parse(answer)
}

interface Inspected {
  readonly Id: string
  readonly Architecture: string
  readonly Config: { readonly Labels: Readonly<Record<string, string>> }
}

const ofPlatform = (architecture: string) =>
  `platform=${encodeURIComponent(JSON.stringify({ os: 'linux', architecture }))}`

const raw = async (place: string) =>
  JSON.parse(await runOrThrow('skopeo', ['inspect', '--raw', '--tls-verify=false', place])) as {
    readonly manifests: readonly {
      readonly platform: { readonly architecture: string }
      readonly digest: string
      readonly annotations?: Readonly<Record<string, string>>
    }[]
  }

test('a name has an image for each platform; stages that are the same for all are built once', async () => {
  using context = new TestContext(cross)
  const meta = context.beside('meta')
  const told = await build(...both, '--no-cache', '-t', 'multi:1', '--metadata-file', meta, context.path)
  assert.equal(new Set(told.match(/^#\d+ \[.*\] RUN echo "\$RANDOM" >\/shared$/gm)).size, 1, told)
  assert.match(told, new RegExp(`\\[linux/${host}->${foreign} compiler 2/2\\] RUN`))
  const own = (await api('/images/multi:1/json')) as Inspected
  const other = (await api(`/images/multi:1/json?${ofPlatform(foreign)}`)) as Inspected
  assert.deepEqual([own.Architecture, own.Config.Labels.platform], [host, `linux/${host}`])
  assert.deepEqual([other.Architecture, other.Config.Labels.platform], [foreign, `linux/${foreign}`])
  assert.equal(await daemon.ok(['images', '-a', '--format', '{{.Repository}}', '--filter', 'label=platform']), 'multi')
  const { 'containerimage.digest': digest, 'containerimage.config.digest': config } = JSON.parse(
    readFileSync(meta, 'utf8'),
  )
  const [listed] = (await api(
    `/images/json?manifests=1&filters=${encodeURIComponent('{"reference":["multi:1"]}')}`,
  )) as {
    readonly Descriptor: { readonly digest: string }
    readonly Manifests: readonly { readonly ImageData: { readonly Platform: { readonly architecture: string } } }[]
  }[]
  assert.deepEqual([listed?.Descriptor.digest, config], [digest, undefined])
  const shown = listed?.Manifests.map(({ ImageData }) => ImageData.Platform.architecture)
  assert.deepEqual(shown?.toSorted(), ['amd64', 'arm64'])
})

test('push, save and load keep all platforms; rmi of the name removes them all', async () => {
  using context = new TestContext({ Dockerfile: `${cross.Dockerfile}LABEL pushed=yes\n` })
  const name = `${registry.name}/multi:2`
  await build(...both, '-t', name, '--provenance', 'true', context.path)
  await daemon.ok(['push', name])
  const pushed = await raw(`docker://${name}`)
  const images = pushed.manifests.filter(({ annotations }) => annotations === undefined)
  assert.deepEqual(images.map(({ platform }) => platform.architecture).toSorted(), ['amd64', 'arm64'])
  const attested = pushed.manifests.map(({ annotations }) => annotations?.['vnd.docker.reference.digest'])
  assert.deepEqual(
    attested.filter((one) => one !== undefined).toSorted(),
    images.map(({ digest }) => digest).toSorted(),
  )
  const archive = context.beside('saved.tar')
  await daemon.ok(['save', '-o', archive, name])
  const before = (await api(`/images/${name}/json?${ofPlatform(foreign)}`)) as Inspected
  assert.match(await daemon.ok(['rmi', name]), new RegExp(`Deleted: ${before.Id}`))
  assert.match(await daemon.ok(['load', '-i', archive]), /Loaded image: /)
  assert.equal(((await api(`/images/${name}/json?${ofPlatform(foreign)}`)) as Inspected).Id, before.Id)
  const again = context.beside('again.tar')
  await daemon.ok(['save', '-o', again, name])
  assert.ok(readFileSync(archive).equals(readFileSync(again)), 'what was loaded is what was saved')
})

test("base images are pulled for each platform; a name that refers to the host's image keeps it", async () => {
  using context = new TestContext(cross)
  const base = `${registry.name}/base:1`
  await build(...both, '--push', '-t', base, context.path)
  await daemon.ok(['rmi', base])
  context.put('Dockerfile', `FROM ${base}\nLABEL on=top\n`)
  await build(...both, '-t', 'top:1', context.path)
  assert.equal(((await api(`/images/${base}/json`)) as Inspected).Architecture, host)
  for (const architecture of [host, foreign]) {
    const { Config } = (await api(`/images/top:1/json?${ofPlatform(architecture)}`)) as Inspected
    assert.equal(Config.Labels.platform, `linux/${architecture}`)
  }
})

test('rmi --platform removes one platform; the name keeps the other, and can be pulled completely again', async () => {
  using context = new TestContext({ ...cross, Dockerfile: `${cross.Dockerfile}LABEL of=parted\n` })
  const name = `${registry.name}/parted:1`
  await build(...both, '--push', '-t', name, context.path)
  const idOf = async (architecture: string) =>
    ((await api(`/images/${name}/json?${ofPlatform(architecture)}`)) as Inspected).Id
  const [hostId, foreignId] = [await idOf(host), await idOf(foreign)]
  await daemon.ok(['create', '--name', 'holder', name, 'x'])
  const refused = await daemon.docker(['rmi', '--platform', `linux/${host}`, name])
  assert.match(refused.stderr, /conflict: unable to delete \w+ \(must be forced\) - image is being used by stopped/)
  await daemon.ok(['rm', 'holder'])
  const gone = await daemon.ok(['rmi', '--platform', `linux/${host}`, name])
  assert.equal(gone.split('\n')[0], `Deleted: ${hostId}`)
  assert.equal(((await api(`/images/${name}/json`)) as Inspected).Id, foreignId)
  const missing = await daemon.docker(['rmi', '--platform', `linux/${host}`, name])
  assert.match(missing.stderr, /was found but does not provide the specified platform \(linux\/\w+\)/)
  assert.equal((await daemon.api('DELETE', `/images/${name}?platforms=%7B%22os%22%3A%22linux%22%7D`)).status, 400)
  await daemon.ok(['pull', name])
  assert.equal(((await api(`/images/${name}/json`)) as Inspected).Id, hostId)
  const check = await daemon.api<{ Problems: readonly object[] }>('POST', '/berth/check')
  assert.deepEqual(check.body.Problems, [])
  await daemon.ok(['rmi', name])
})

test('type=oci has an index, with the same bytes each time', async () => {
  using context = new TestContext({ Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY a /$TARGETARCH\n', a: 'A' })
  const epoch = ['--build-arg', 'SOURCE_DATE_EPOCH=1700000000', '--no-cache']
  const archives = ['one.tar', 'two.tar'].map((name) => context.beside(name))
  for (const archive of archives) {
    const output = `type=oci,dest=${archive},rewrite-timestamp=true`
    await build(...both, ...epoch, '--provenance', 'false', '-o', output, '-t', 'x:1', context.path)
  }
  const [one, two] = archives.map((archive) => readFileSync(archive))
  assert.ok(one !== undefined && two !== undefined && one.equals(two))
  const { manifests } = await raw(`oci-archive:${archives[0]}`)
  assert.deepEqual(
    manifests.map(({ platform }) => platform.architecture),
    ['amd64', 'arm64'],
  )
  assert.match(
    await fails(...both, '-o', `type=docker,dest=${context.beside('d.tar')}`, context.path),
    /docker exporter does not currently support exporting manifest lists/,
  )
})

test('type=local has a directory for each platform, or a single one with platform-split=false', async () => {
  using context = new TestContext({
    Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY a /a-$TARGETARCH\nCOPY a /dir/a-$TARGETARCH\n',
    a: 'A',
  })
  const [split, joined, tar] = ['split', 'joined', 'root.tar'].map((name) => context.beside(name))
  await build(...both, '-o', `type=local,dest=${split}`, '-o', `type=tar,dest=${tar}`, context.path)
  assert.deepEqual(readdirSync(split ?? '').toSorted(), ['linux_amd64', 'linux_arm64'])
  assert.equal(readFileSync(join(split ?? '', 'linux_arm64/dir/a-arm64'), 'utf8'), 'A')
  assert.match(await runOrThrow('tar', ['-tf', tar ?? '']), /^linux_amd64\/a-amd64$/m)
  await build(...both, '-o', `type=local,platform-split=false,dest=${joined}`, context.path)
  assert.deepEqual(readdirSync(join(joined ?? '', 'dir')).toSorted(), ['a-amd64', 'a-arm64'])
  context.put('Dockerfile', 'FROM scratch\nCOPY a /a\n')
  assert.match(
    await fails(...both, '-o', `type=local,platform-split=false,dest=${joined}`, context.path),
    /cannot overwrite a from linux\/amd64 with linux\/arm64 when split option is disabled/,
  )
})

test('a base image for another platform only is used, with a warning', async () => {
  const name = `${registry.name}/single:1`
  await daemon.ok(['tag', 'busybox', name])
  await daemon.ok(['push', name])
  await daemon.ok(['rmi', name])
  using context = new TestContext({ Dockerfile: `FROM ${name}\nRUN true\nLABEL x=$NOPE\n` })
  const told = await build('--network', 'none', '--platform', 'linux/s390x', '-t', 'single:2', context.path)
  const message = `Base image ${name} was pulled with platform "linux/${host}", expected "linux/s390x" for current build`
  assert.ok(told.includes(`InvalidBaseImagePlatform: ${message} (line 1)`), told)
  assert.match(told, /UndefinedVar: Usage of undefined variable '\$NOPE' \(line 3\)/)
  assert.equal(((await api('/images/single:2/json')) as Inspected).Architecture, host)
  context.put('Dockerfile', `# check=skip=UndefinedVar;error=true\nFROM ${name}\nLABEL x=$NOPE\n`)
  assert.match(
    await fails('--platform', 'linux/s390x', context.path),
    /lint violation found for rules: InvalidBaseImagePlatform/,
  )
  context.put('Dockerfile', `# check=error=true\nFROM ${name}\nLABEL x=$NOPE\n`)
  const both = await fails('--platform', 'linux/s390x', context.path)
  assert.ok(both.includes(`InvalidBaseImagePlatform: ${message} (line 2)`), both)
  assert.match(both, /lint violation found for rules: UndefinedVar, InvalidBaseImagePlatform/)
})

test('a missing device fails the build if it is required, and is left out otherwise', async () => {
  using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN --device=vendor.example/gpu true\n' })
  assert.match(
    await build('--network', 'none', context.path),
    /device vendor\.example\/gpu is left out: it is not available/,
  )
  context.put('Dockerfile', 'FROM busybox\nRUN --device=name=vendor.example/gpu,required true\n')
  assert.match(await fails(context.path), /required device vendor\.example\/gpu is not available/)
})

/** A program for the other platform as the kernel sees it: an ELF header that no other test uses. */
function foreignProgram(): Buffer {
  const header = Buffer.alloc(4096)
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0])
  header.writeUInt16LE(2, 16)
  header.writeUInt16LE(foreign === 'arm64' ? 183 : 62, 18)
  header.writeUInt32LE(1, 20)
  header.writeUInt32LE(0xbe47, 48)
  return header
}

const binfmt = '/proc/sys/fs/binfmt_misc'

test('RUN for a foreign platform fails without a binfmt handler', async (t) => {
  using context = new TestContext({ Dockerfile: 'FROM scratch\nCOPY sh /bin/sh\nRUN mkdir /made\n' })
  context.put('sh', '')
  writeFileSync(join(context.path, 'sh'), foreignProgram(), { mode: 0o755 })
  await runOrThrow('chmod', ['755', join(context.path, 'sh')])
  const platform = ['--platform', `linux/${foreign}`]
  const told = await fails(...platform, context.path)
  assert.match(told, /^Dockerfile:3$/m)
  assert.match(told, new RegExp(`/bin/sh is a program for linux/${foreign}, .* no handler for it in binfmt_misc`))
  // busybox replaces an emulator: it is called with the program's path, whose last part names the applet.
  const isMounted = existsSync(join(binfmt, 'register'))
  if (!isMounted && (await runCommand('mount', ['-t', 'binfmt_misc', 'binfmt_misc', binfmt])).code !== 0) {
    t.skip('this kernel has no binfmt_misc')
    return
  }
  const name = `berth-test-${process.pid}`
  try {
    const escaped = (at: number, length: number) =>
      [...foreignProgram().subarray(at, at + length)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
    const line = `:${name}:M:0:${escaped(0, 52)}::/bin/busybox:F`
    writeFileSync(join(binfmt, 'register'), line)
    await build('--network', 'none', ...platform, '-o', context.beside('out'), context.path)
    assert.ok(existsSync(context.beside('out/made')))
  } finally {
    if (existsSync(join(binfmt, name))) writeFileSync(join(binfmt, name), '-1')
    if (!isMounted) await runOrThrow('umount', [binfmt])
  }
})
