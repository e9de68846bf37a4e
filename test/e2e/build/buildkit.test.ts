/** Builds over BuildKit's protocol: buildx, and Debian's docker 20.10, whose own client uses an older form of it. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { findCliPlugin } from '../../helpers/clients/cli-plugins.ts'
import { type CommandOptions, RunningCommand, runCommand, runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { until } from '../../helpers/wait.ts'

const buildx = findCliPlugin('docker-buildx')
const noBuildx = buildx === undefined ? 'no docker-buildx (test/runner/cli-plugins)' : false
/** Debian's docker, even if another one comes first on the PATH. */
const debianDocker = '/usr/bin/docker'
const major = Number(
  (await runCommand(debianDocker, ['--version']).catch(() => ({ stdout: '' }))).stdout.match(/ (\d+)\./)?.[1],
)
const noOldClient = major < 23 ? false : 'no docker CLI with a BuildKit client of its own (Debian 12 has one)'

let daemon: TestDaemon
before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon[Symbol.asyncDispose]())

const cat = (image: string, ...paths: readonly string[]) =>
  daemon.ok(['run', '--rm', '--network', 'none', image, 'cat', ...paths])

const environment = (more: NodeJS.ProcessEnv = {}) => ({ DOCKER_HOST: daemon.host, DOCKER_BUILDKIT: '1', ...more })

describe('docker 20.10 with DOCKER_BUILDKIT=1', { skip: noOldClient }, () => {
  const build = (args: readonly string[], options: CommandOptions = {}) =>
    runCommand(debianDocker, ['build', '--network', 'none', '--progress', 'plain', ...args], {
      ...options,
      env: environment(options.env),
    })

  test('a directory: ignored files are not sent; secrets and arguments reach the steps', async () => {
    using context = new TestContext({
      Dockerfile: `FROM busybox
ARG WHO
COPY . /srv
RUN --mount=type=secret,id=word sh -c 'echo "$WHO $(cat /run/secrets/word)" >/said; ls /srv >>/said'
`,
      '.dockerignore': 'left\n*/also-left\n!kept\n/here/\n',
      left: '',
      'here/too': '',
      kept: '',
      'sub/also-left': '',
    })
    context.put('../word', 'hush')
    const args = ['--build-arg', 'WHO=me', '--secret', `id=word,src=${context.beside('word')}`]
    const { code, stderr } = await build([...args, '-t', 'old:1', '-t', 'old:2', context.path])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /\[3\/3\] RUN --mount=type=secret/)
    assert.match(stderr, /writing image sha256:[0-9a-f]{64} .*done/)
    assert.equal(await cat('old:2', '/said'), 'me hush\nDockerfile\nkept\nsub')
    const again = await build(['-t', 'old:1', ...args, context.path])
    assert.match(again.stderr, /\[3\/3\] RUN[^\n]*\n[^\n]*\n?#\d+ CACHED/)
  })

  test('an archive on stdin, a Dockerfile on stdin, output to files, an error', async () => {
    using context = new TestContext({ Dockerfile: 'FROM busybox\nCOPY a /\n', a: 'A' })
    const archive = context.beside('context.tar')
    await runOrThrow('tar', ['-C', context.path, '-cf', archive, '.'])
    const fromTar = await build(['-t', 'old:tar', '-'], { input: readFileSync(archive) })
    assert.equal(fromTar.code, 0, fromTar.stderr)
    assert.equal(await cat('old:tar', '/a'), 'A')
    const out = context.beside('out')
    const files = await build(['-f', '-', '-o', out, context.path], { input: 'FROM scratch\nCOPY a /b/\n' })
    assert.equal(files.code, 0, files.stderr)
    assert.equal(readFileSync(join(out, 'b/a'), 'utf8'), 'A')
    const failed = await build(['-f', '-', context.path], { input: 'FROM busybox\nRUN exit 3\n' })
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /process "\/bin\/sh -c exit 3" did not complete successfully: exit code: 3/)
  })
})

describe('buildx', { skip: noBuildx }, () => {
  const run = (args: readonly string[], options: CommandOptions = {}) =>
    runCommand(buildx ?? '', args, { ...options, env: environment(options.env) })

  async function ok(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const { code, stderr } = await run(args, options)
    assert.equal(code, 0, stderr)
    return stderr
  }

  const build = (args: readonly string[], options: CommandOptions = {}) =>
    ok(['build', '--network', 'none', '--progress', 'plain', ...args], options)

  test('metadata, ids, warnings and named contexts work, and only needed files of a directory are sent', async () => {
    using context = new TestContext({
      Dockerfile: 'FROM busybox as Base\nCOPY a /\nCOPY --from=other b /\nRUN grep there /etc/hosts >/hosts\n',
      a: 'A',
      'many/c': 'never sent',
    })
    mkdirSync(context.beside('other'))
    context.put('../other/b', 'B')
    const [iid, metadata] = [context.beside('iid'), context.beside('metadata')]
    const named = ['--build-context', `other=${context.beside('other')}`, '--add-host', 'there:192.0.2.7']
    const args = [...named, '--iidfile', iid, '--metadata-file', metadata, '--label', 'made=here', '-t', 'new:1']
    const text = await build([...args, context.path])
    assert.match(text, /WARN: StageNameCasing: Stage name 'Base' should be lowercase \(line 1\)/)
    assert.match(text, /naming to docker\.io\/library\/new:1 .*done/)
    const id = await daemon.ok(['inspect', '-f', '{{.Id}} {{.Config.Labels.made}}', 'new:1'])
    assert.equal(id, `${readFileSync(iid, 'utf8')} here`)
    const { 'containerimage.config.digest': config, 'image.name': name } = JSON.parse(readFileSync(metadata, 'utf8'))
    assert.deepEqual([config, name], [readFileSync(iid, 'utf8'), 'docker.io/library/new:1'])
    assert.equal(await cat('new:1', '/a', '/b', '/hosts'), 'AB192.0.2.7\tthere')
  })

  test('errors show the lines of the Dockerfile', async () => {
    using context = new TestContext({
      Dockerfile: 'FROM busybox\nRUN true && \\\n  exit 7\n',
      Wrong: 'FROM busybox\nCOPPY a b\n',
    })
    const failed = await run(['build', '--network', 'none', context.path])
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /Dockerfile:2\n-+\n[^\n]*FROM busybox\n +2 \| >>> RUN true && \\\n +3 \| >>> +exit 7\n/)
    assert.match(failed.stderr, /ERROR: failed to solve: process "\/bin\/sh -c true &&\s+exit 7" did not complete/)
    const wrong = await run(['build', '-f', join(context.path, 'Wrong'), context.path])
    assert.match(wrong.stderr, /Wrong:2\n[\s\S]*unknown instruction: COPPY \(did you mean COPY\?\)/)
  })

  test('outputs to files, an ssh agent, an archive on stdin', async () => {
    using context = new TestContext({
      Dockerfile: 'FROM scratch\nCOPY --chmod=4755 a /d/\nCOPY link /d/\n',
      a: 'A',
      link: '-> a',
    })
    for (let count = 0; count < 50; count += 1) context.put(`many/${count}`, String(count).repeat(3000))
    await build(['-o', context.beside('out'), '-f', '-', context.path], {
      input: 'FROM scratch\nCOPY --chmod=4755 a /d/\nCOPY link /d/\nCOPY many /many\n',
    })
    assert.deepEqual(readdirSync(context.beside('out/d')), ['a', 'link'])
    await runOrThrow('diff', ['-r', join(context.path, 'many'), context.beside('out/many')])
    await build(['-o', `type=oci,dest=${context.beside('oci.tar')}`, '-t', 'oci:1', context.path])
    assert.match(await runOrThrow('tar', ['-tf', context.beside('oci.tar')]), /^index\.json$/m)
    const socket = context.beside('agent')
    const agent = createServer((client) => client.end('spoken')).listen(socket)
    try {
      const input =
        'FROM busybox\nRUN --mount=type=ssh nc local:$SSH_AUTH_SOCK </dev/null >/heard; test -S $SSH_AUTH_SOCK\n'
      await build(['--ssh', `default=${socket}`, '-f', '-', context.path], { input })
    } finally {
      agent.close()
    }
    await runOrThrow('tar', ['-C', context.path, '-cf', context.beside('context.tar'), '.'])
    await build(['-t', 'new:tar', '-'], { input: readFileSync(context.beside('context.tar')) })
  })

  test('push, and a cache in a registry that another build uses', async () => {
    await using registry = await TestRegistry.start()
    using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN date +%N >/made\n' })
    const cache = `type=registry,ref=${registry.name}/cache`
    await build(['--push', '-t', `${registry.name}/new:1`, '--cache-to', `${cache},mode=max`, context.path])
    const made = await cat(`${registry.name}/new:1`, '/made')
    await daemon.ok(['rmi', '-f', `${registry.name}/new:1`])
    await ok(['prune', '-af'])
    await build(['--cache-from', cache, '-t', 'cached:1', context.path])
    assert.equal(await cat('cached:1', '/made'), made)
    assert.match((await run(['du'])).stdout, /^Total:\s+\S+B$/m)
  })

  test('OCI layouts in directories: an image as output and as base, a cache', async () => {
    using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN date +%N >/made\n' })
    const [layout, cache] = [context.beside('layout'), context.beside('cache')]
    const output = ['-o', `type=oci,tar=false,dest=${layout}`, '--cache-to', `type=local,dest=${cache}`]
    await build(['-t', 'layout:1', ...output, context.path])
    const input = 'FROM base\nRUN test -s /made\n'
    await build(['--build-context', `base=oci-layout://${layout}:1`, '-t', 'layout:2', '-f', '-', context.path], {
      input,
    })
    const made = await cat('layout:2', '/made')
    await daemon.ok(['rmi', 'layout:2'])
    await ok(['prune', '-af'])
    await build(['--cache-from', `type=local,src=${cache}`, '-t', 'layout:3', context.path])
    assert.equal(await cat('layout:3', '/made'), made)
  })

  test('bake builds targets, one of them based on another', async () => {
    using context = new TestContext({
      Dockerfile: 'FROM busybox\nRUN echo first >/one\n',
      Second: 'FROM first\nCOPY --from=first /one /two\n',
      'docker-bake.json': JSON.stringify({
        group: { default: { targets: ['second'] } },
        target: {
          first: { tags: ['bake:1'] },
          second: { dockerfile: 'Second', contexts: { first: 'target:first' }, tags: ['bake:2'] },
        },
      }),
    })
    await ok(['bake', '--progress', 'plain'], { cwd: context.path })
    assert.equal(await cat('bake:2', '/one', '/two'), 'first\nfirst')
  })

  test('--call answers questions about a Dockerfile without building it', async () => {
    using context = new TestContext({
      Dockerfile: '# base of all\nFROM busybox AS base\n# WHO is it\nARG WHO=me\nFROM base as App\nRUN echo $WHO\n',
    })
    const ask = async (question: string) => {
      const env = { BUILDX_EXPERIMENTAL: '1' }
      const { code, stdout, stderr } = await run(['build', `--print=${question}`, context.path], { env })
      assert.equal(code, 0, stderr)
      return stdout
    }
    assert.match(await ask('outline'), /TARGET: +app\n\nBUILD ARG +VALUE +DESCRIPTION *\nWHO +me +is it/i)
    assert.match(await ask('targets'), /^base +of all/m)
    const linted = await ask('lint')
    assert.match(
      linted,
      /WARNING: StageNameCasing - https:\/\/docs\.docker\.com\/go\/dockerfile\/rule\/stage-name-casing\//,
    )
    assert.match(linted, /Dockerfile:5\n-+\n +3 \| +# WHO is it\n[^>]*>>> FROM base as App/)
  })

  test('the builder is listed with its cache rules', async () => {
    const { stdout } = await run(['inspect'])
    assert.match(stdout, /Status: +running\n[\s\S]*BuildKit version: +v0/)
    assert.match(stdout, /GC Policy rule#0:\n +All: +(?:true|false)\n(?: +[^\n]+\n)*? +Keep Bytes: +\S+/)
  })

  test('the cache is listed and pruned with filters', async () => {
    using context = new TestContext({
      Dockerfile: 'FROM busybox\nRUN echo of-filters >/a\nRUN echo other-filters >/b\n',
    })
    await build([context.path])
    const shown = async (...filters: readonly string[]) => {
      const { code, stdout, stderr } = await run(['du', '--verbose', ...filters.flatMap((one) => ['--filter', one])])
      return code === 0 ? stdout : stderr
    }
    assert.match(await shown('type=regular'), /RUN echo of-filters/)
    assert.match(await shown('color=red'), /invalid filter color/)
    assert.match(await shown('description~=x'), /invalid filter "description~==x"/)
    const pruned = await run(['prune', '-af', '--verbose', '--filter', 'type=exec.cachemount'])
    assert.match(pruned.stdout, /^Total:\s+0B\n$/)
    const id = /ID:\s+(\S+)\n(?:(?!ID:)[\s\S])*?RUN echo other-filters/.exec(await shown())?.[1] ?? ''
    assert.match((await run(['prune', '-af', '--verbose', '--filter', `id=${id}`])).stdout, /RUN echo other-filters/)
    assert.match(await shown(), /RUN echo of-filters/)
    assert.doesNotMatch(await shown(), /RUN echo other-filters/)
  })

  test('unsupported features are refused by name before anything is built', async () => {
    using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN echo never >/a\n' })
    for (const [args, expected] of [
      [['--cache-from', 'type=azblob,name=x'], /cache of type azblob is not implemented in this version of Berth/],
      [['--cache-to', 'type=nope'], /unknown cache type "nope"/],
    ] as const) {
      const { code, stderr } = await run(['build', '--progress', 'plain', ...args, context.path])
      assert.equal(code, 1)
      assert.match(stderr, expected)
      assert.doesNotMatch(stderr, /RUN echo never/)
    }
  })

  test('a client that is canceled or dies ends its build', async () => {
    using context = new TestContext({ Dockerfile: 'FROM busybox\nRUN echo begun; exec sleep 1000\n' })
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const client = new RunningCommand(buildx ?? '', ['build', '--progress', 'plain', context.path], {
        env: environment(),
      })
      await client.sees('begun')
      client.kill(signal)
      await client.ended
      await until(() => readdirSync(join(daemon.execRoot, 'c')).length === 0, {
        what: `the step to end after ${signal}`,
      })
    }
  })
})
