/** Builds of today's clients over BuildKit's protocol: buildx 0.36, and a client of the tests that sends the same
 *  messages. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { TestContext } from '../../helpers/clients/build-context.ts'
import { buildOverBuildkit } from '../../helpers/clients/buildkit-client.ts'
import { findNewBuildx } from '../../helpers/clients/cli-plugins.ts'
import { type CommandOptions, runCommand } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

const buildx = findNewBuildx()
const noBuildx = buildx === undefined ? 'no buildx 0.36 (test/go-clients needs Go)' : false
/** Shows a process's limit of memory, with either version of control groups. */
const showMemory = 'cat /sys/fs/cgroup/memory.max || cat /sys/fs/cgroup/memory/memory.limit_in_bytes'

let daemon: TestDaemon
before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon[Symbol.asyncDispose]())

const cat = (image: string, ...paths: readonly string[]) =>
  daemon.ok(['run', '--rm', '--network', 'none', image, 'cat', ...paths])

describe('buildx 0.36', { skip: noBuildx }, () => {
  async function ok(args: readonly string[], options: CommandOptions = {}) {
    const env = { DOCKER_HOST: daemon.host, ...options.env }
    const { code, stdout, stderr } = await runCommand(buildx ?? '', args, { ...options, env })
    assert.equal(code, 0, stderr)
    return { stdout: stdout.trim(), stderr }
  }

  test('builds; -q and --iidfile name the manifest, by which the image runs', async () => {
    using context = new TestContext({ Dockerfile: 'FROM busybox\nCOPY a /\n', a: 'A' })
    const iid = context.beside('iid')
    await ok(['build', '--iidfile', iid, '-t', 'new:1', context.path])
    const { stdout } = await ok(['build', '-q', context.path])
    assert.match(stdout, /^sha256:[0-9a-f]{64}$/)
    for (const name of [readFileSync(iid, 'utf8'), stdout]) assert.equal(await cat(name, '/a'), 'A')
  })

  test('takes named contexts, a hostname and limits', async () => {
    using context = new TestContext({
      Dockerfile: `FROM busybox\nCOPY --from=other b /\nRUN (${showMemory}) >/limits\n`,
    })
    mkdirSync(context.beside('other'))
    context.put('../other/b', 'B')
    const limits = ['--memory', '64m', '--cpu-quota', '50000', '--cpu-period', '100000', '--cpuset-cpus', '0']
    await ok(['build', '--build-context', `other=${context.beside('other')}`, ...limits, '-t', 'new:2', context.path])
    assert.equal(await cat('new:2', '/b', '/limits'), `B${64 * 2 ** 20}`)
  })
})

describe("a client that sends today's messages", () => {
  test('an image is named by its manifest, and options that Berth does not know give warnings', async () => {
    using context = new TestContext({
      Dockerfile: `FROM busybox\nRUN hostname >/name; (${showMemory}) >/limit\nCOPY --from=other b /\n`,
      'other/b': 'B',
    })
    const { response, warnings, steps } = await buildOverBuildkit(daemon, {
      directories: { context: context.path, dockerfile: context.path, other: `${context.path}/other` },
      attrs: {
        hostname: 'named',
        memory: String(64 * 2 ** 20),
        'context:other': 'local:other',
        'sharedkey:localdir:other': 'other:node',
        'input:context': 'https://host/repository.git',
        'frontend-of-tomorrow': '1',
      },
      exporter: { type: 'moby', attrs: { name: 'new:3', 'prefer-image-digest': 'true', 'option-of-tomorrow': '1' } },
    })
    assert.deepEqual(warnings.toSorted(), [
      'Unknown option "frontend-of-tomorrow" of the Dockerfile frontend is ignored',
      'Unknown option "option-of-tomorrow" of the image exporter is ignored',
    ])
    assert.equal(response['containerimage.config.digest'], undefined)
    assert.equal(
      await cat(response['containerimage.digest'] ?? '', '/name', '/limit', '/b'),
      `named\n${64 * 2 ** 20}\nB`,
    )
    assert.equal(steps.includes('[3/3] COPY --from=other b /'), true)
  })

  test('a limit that is no number, and devices, are refused by name', async () => {
    using context = new TestContext({ Dockerfile: 'FROM busybox\n' })
    const directories = { context: context.path, dockerfile: context.path }
    for (const [attrs, expected] of [
      [{ memory: '0' }, /invalid memory value: 0: must be a number greater than 0/],
      [{ devices: 'x' }, /the Dockerfile frontend's option devices is not implemented in this version of Berth/],
    ] as const)
      await assert.rejects(buildOverBuildkit(daemon, { directories, attrs }), expected)
  })
})
