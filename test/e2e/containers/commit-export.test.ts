/** export, diff and commit of running and stopped containers, with the docker CLI and berth. */
import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { getXattr, setXattr } from '../../../src/sys/index.ts'
import { runOrThrow } from '../../helpers/command.ts'
import { cgroupName, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let directory: string

before(async () => {
  directory = mkdtempSync('/tmp/b-')
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  // Files of every kind, which the containers of the tests change.
  await daemon.ok([
    ...['run', '--name', 'maker', 'busybox', 'sh', '-c'],
    'mkdir -p /a/b/c /l /od; echo 1 >/a/b/c/f; echo x >/l/one; ln /l/one /l/two; echo keep >/od/keep; ln -s /no /link; mkfifo /fifo; echo utf >/utf',
  ])
  await daemon.ok(['commit', 'maker', 'base:1'])
  await daemon.ok(['rm', 'maker'])
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** Changes every kind of file. */
const changing = `rm -r /od; mkdir /od; echo new >/od/new; rm -r /a/b; echo file >/a/b; ln /l/one /l/three
rm /link; mkdir /link; echo in >/link/in; chown 1000:1000 /l; chmod 4755 /utf; rm /fifo; mkdir '/sp ace'; echo é >/ünï`

/** A description of a tree: types, modes, owners, link counts and contents. */
const looking = `cd /; for f in a a/b l l/one l/three od od/new link link/in utf 'sp ace' ünï; do stat -c '%n %F %a %u:%g' "$f"; done
cat a/b od/new link/in ünï; ls od; stat -c %h l/one l/three; test ! -e fifo && echo no fifo; cat l/three`

async function tarNames(path: string): Promise<string[]> {
  return (await runOrThrow('tar', ['-tf', path])).split('\n')
}

/** Files of the freezer of a container's control group. */
function freezerState(id: string): string {
  const group = `${cgroupName(daemon.dataRoot)}/${id}`
  const [path] = globSync([`/sys/fs/cgroup/*/${group}/freezer.state`, `/sys/fs/cgroup/${group}/cgroup.freeze`])
  return path === undefined ? 'no freezer' : readFileSync(path, 'utf8').trim()
}

describe('export', () => {
  for (const run of ['stopped', 'running']) {
    test(`of a ${run} container: stock tools can read it, and import restores it`, async () => {
      const name = `export-${run}`
      const program = run === 'running' ? `${changing}; echo ready; exec sleep 100` : changing
      await daemon.ok(['run', '-d', '--name', name, '-v', '/etc:/mounted', 'base:1', 'sh', '-c', program])
      if (run === 'running') await until(async () => (await daemon.ok(['logs', name])) === 'ready', { what: 'ready' })
      else await daemon.ok(['wait', name])
      const path = join(directory, `${name}.tar`)
      await daemon.ok(['export', '-o', path, name])
      const names = await tarNames(path)
      for (const wanted of ['a/b', 'bin/busybox', 'od/new', 'link/in', 'mounted/'])
        assert.ok(names.includes(wanted), wanted)
      for (const gone of ['od/keep', 'fifo', 'mounted/passwd']) assert.ok(!names.includes(gone), gone)
      assert.ok(!names.some((one) => one.includes('.wh.')))
      const { stdout } = await daemon.berth(['export', name], { input: '' })
      assert.ok(stdout.length > 1_000_000)
      const own = join(directory, `${name}-berth.tar`)
      assert.equal((await daemon.berth(['export', '-o', own, name])).code, 0)
      assert.deepEqual(await tarNames(own), names)
      await daemon.ok(['import', path, `${name}:1`])
      const before = await daemon
        .ok(['commit', name, `${name}:c`])
        .then(() => daemon.ok(['run', '--rm', `${name}:c`, 'sh', '-c', looking]))
      assert.equal(await daemon.ok(['run', '--rm', `${name}:1`, 'sh', '-c', looking]), before)
      await daemon.ok(['rm', '-f', name])
    })
  }

  test('of a container that never ran; of a missing one', async () => {
    await daemon.ok(['create', '--name', 'fresh', 'base:1'])
    const path = join(directory, 'fresh.tar')
    await daemon.ok(['export', '-o', path, 'fresh'])
    assert.ok((await tarNames(path)).includes('od/keep'))
    await daemon.ok(['rm', 'fresh'])
    for (const client of [daemon.docker.bind(daemon), daemon.berth.bind(daemon)]) {
      const { code, stderr } = await client(['export', '-o', join(directory, 'none'), 'nobody'])
      assert.deepEqual([code, stderr], [1, 'Error response from daemon: No such container: nobody\n'])
    }
    assert.ok(!readdirSync(directory).includes('none'))
  })
})

describe('diff', () => {
  const expected = [
    ...['C /a', 'C /a/b', 'D /fifo', 'C /l', 'A /l/three', 'C /link', 'A /link/in', 'C /od', 'D /od/keep'],
    ...['A /od/new', 'A /sp ace', 'C /utf', 'A /ünï'],
  ]

  test('shows changed, added and deleted files, and no mount points', async () => {
    await daemon.ok(['run', '--name', 'changed', 'base:1', 'sh', '-c', changing])
    assert.deepEqual((await daemon.ok(['diff', 'changed'])).split('\n'), expected)
    assert.equal((await daemon.berth(['diff', 'changed'])).stdout, `${expected.join('\n')}\n`)
    await daemon.ok(['rm', 'changed'])
  })

  test('is empty for a container that changed nothing', async () => {
    await daemon.ok(['run', '--name', 'idle', '--init', '-v', '/etc/passwd:/etc/passwd', 'base:1', 'true'])
    assert.equal(await daemon.ok(['diff', 'idle']), '')
    await daemon.ok(['rm', 'idle'])
  })
})

describe('commit', () => {
  test('the layer has whiteouts, opaque directories, replaced types, links and attributes', async () => {
    await daemon.ok(['run', '--name', 'rich', 'base:1', 'sh', '-c', changing])
    const upper = await daemon.ok(['inspect', '-f', '{{.GraphDriver.Data.UpperDir}}', 'rich'])
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
    setXattr(join(upper, 'utf'), 'security.capability', capability)
    setXattr(join(upper, 'utf'), 'user.mark', Buffer.from('here'))
    const id = await daemon.ok(['commit', 'rich', 'rich:1'])
    assert.match(id, /^sha256:[0-9a-f]{64}$/)
    const archive = join(directory, 'rich.tar')
    await daemon.ok(['save', '-o', archive, 'rich:1'])
    const [saved] = JSON.parse(await runOrThrow('tar', ['-xOf', archive, 'manifest.json']))
    assert.equal(saved.Layers.length, 3)
    const layer = join(directory, 'layer.tar')
    await runOrThrow('sh', ['-c', `tar -xOf ${archive} ${saved.Layers.at(-1)} >${layer}`])
    const names = await tarNames(layer)
    for (const wanted of ['.wh.fifo', 'od/.wh..wh..opq', 'od/new', 'a/b', 'link/in']) assert.ok(names.includes(wanted))
    for (const none of ['.dockerenv', 'etc/hosts', 'etc/mtab', 'etc/', 'proc/', 'dev/', 'a/b/'])
      assert.ok(!names.includes(none), none)
    const files = await daemon.ok(['inspect', '-f', '{{.GraphDriver.Data.UpperDir}}', 'rich:1'])
    assert.deepEqual(getXattr(join(files, 'utf'), 'security.capability'), capability)
    assert.equal(getXattr(join(files, 'utf'), 'user.mark')?.toString(), 'here')
    assert.equal(statSync(join(files, 'l/one')).ino, statSync(join(files, 'l/three')).ino)
    assert.equal(
      await daemon.ok(['run', '--rm', 'rich:1', 'sh', '-c', looking]),
      await daemon.ok(['run', '--rm', 'base:1', 'sh', '-c', `(${changing}) >/dev/null; ${looking}`]),
    )
    await daemon.ok(['rm', 'rich'])
  })

  test('the image is readable for others: skopeo copies it with complete history and configuration', async () => {
    const change = ['-c', 'CMD ["echo", "hello"]', '-c', 'ENV B=2', '-c', 'LABEL l="a b"', '-c', 'EXPOSE 80']
    await daemon.ok(['run', '--name', 'cfg', '-e', 'A=1', '-w', '/tmp', 'base:1', 'sh', '-c', 'echo y >/y'])
    await daemon.ok(['commit', '-a', 'Ada <ada@example.org>', '-m', 'a note', ...change, 'cfg', 'cfg:1'])
    const image = JSON.parse(await daemon.ok(['image', 'inspect', 'cfg:1']))[0]
    assert.deepEqual(
      [image.Author, image.Comment, image.Config.WorkingDir],
      ['Ada <ada@example.org>', 'a note', '/tmp'],
    )
    assert.deepEqual(image.Config.Cmd, ['echo', 'hello'])
    assert.deepEqual(image.Config.Labels, { l: 'a b' })
    assert.deepEqual(image.Config.ExposedPorts, { '80/tcp': {} })
    assert.ok(image.Config.Env.includes('A=1') && image.Config.Env.includes('B=2'))
    assert.equal(image.Parent, await daemon.ok(['inspect', '-f', '{{.Id}}', 'base:1']))
    assert.equal(await daemon.ok(['run', '--rm', 'cfg:1']), 'hello')
    const history = await daemon.ok([
      'history',
      '--no-trunc',
      '--format',
      '{{.ID}} {{.CreatedBy}} {{.Comment}}',
      'cfg:1',
    ])
    const [newest = '', older = ''] = history.split('\n')
    assert.equal(newest, `${image.Id} sh -c echo y >/y a note`)
    assert.ok(older.startsWith(image.Parent))
    const archive = join(directory, 'cfg.tar')
    await daemon.ok(['save', '-o', archive, 'cfg:1'])
    await runOrThrow('skopeo', ['--insecure-policy', 'copy', '-q', `docker-archive:${archive}`, `dir:${directory}/cfg`])
    await daemon.ok(['rm', 'cfg'])
  })

  test('without changes there is no new layer', async () => {
    await daemon.ok(['run', '--name', 'none', 'base:1', 'true'])
    await daemon.ok(['commit', 'none', 'none:1'])
    const layers = (name: string) => daemon.ok(['inspect', '-f', '{{json .RootFS.Layers}}', name])
    assert.equal(await layers('none:1'), await layers('base:1'))
    const history = await daemon.ok(['history', '--format', '{{.CreatedBy}} {{.Size}}', 'none:1'])
    assert.equal(history.split('\n')[0], 'true 0B')
    assert.equal(history.split('\n').length, 3)
    await daemon.ok(['rm', 'none'])
  })

  test('a running container is paused meanwhile, unless --pause=false', async () => {
    const id = await daemon.ok(['run', '-d', '--name', 'busy', 'base:1', 'sh', '-c', 'while :; do date >>/t; done'])
    const since = String(Date.now() / 1000)
    await daemon.ok(['commit', 'busy', 'busy:1'])
    await daemon.ok(['commit', '--pause=false', 'busy'])
    const until = String(Date.now() / 1000 + 0.5)
    const format = '{{.Type}} {{.Action}} {{.Actor.Attributes.imageRef}}'
    const events = await daemon.ok(['events', '--since', since, '--until', until, '--format', format])
    const told = events.split('\n').filter((line) => /pause|commit/.test(line))
    assert.deepEqual(
      told.map((line) => line.replace(' <no value>', '').trim()),
      ['container pause', 'container commit busy:1', 'container unpause', 'container commit'],
    )
    assert.match(freezerState(id), /^(THAWED|0)$/)
    assert.equal(await daemon.ok(['exec', 'busy', 'echo', 'alive']), 'alive')
    await daemon.ok(['rm', '-f', 'busy'])
  })

  test('a container that a killed daemon left frozen continues', async () => {
    const id = await daemon.ok(['run', '-d', '--name', 'frozen', 'base:1', 'sleep', '100'])
    await daemon.kill9()
    const group = `${cgroupName(daemon.dataRoot)}/${id}`
    for (const path of globSync(`/sys/fs/cgroup/*/${group}/freezer.state`)) writeFileSync(path, 'FROZEN')
    for (const path of globSync(`/sys/fs/cgroup/${group}/cgroup.freeze`)) writeFileSync(path, '1')
    await daemon.start()
    assert.match(freezerState(id), /^(THAWED|0)$/)
    assert.equal(await daemon.ok(['exec', 'frozen', 'echo', 'alive']), 'alive')
    await daemon.ok(['rm', '-f', 'frozen'])
  })

  test('the name moves to the new image; the old image becomes dangling', async () => {
    await daemon.ok(['create', '--name', 'mover', 'base:1'])
    const first = await daemon.ok(['commit', '-m', 'first', 'mover', 'moved'])
    const second = await daemon.ok(['commit', '-m', 'second', 'mover', 'moved:latest'])
    assert.equal(await daemon.ok(['inspect', '-f', '{{.Id}}', 'moved']), second)
    assert.equal(
      await daemon.ok(['images', '-qf', 'dangling=true', '--no-trunc']).then((ids) => ids.includes(first)),
      true,
    )
    await daemon.ok(['rm', 'mover'])
  })

  test('berth commit, and wrong requests', async () => {
    await daemon.ok(['create', '--name', 'refused', 'base:1'])
    const { code, stdout } = await daemon.berth(['commit', '-m', 'by berth', '-c', 'USER app', 'refused', 'own:1'])
    assert.equal(code, 0)
    assert.equal(stdout.trim(), await daemon.ok(['inspect', '-f', '{{.Id}}', 'own:1']))
    assert.equal(await daemon.ok(['inspect', '-f', '{{.Config.User}} {{.Comment}}', 'own:1']), 'app by berth')
    const refusals: readonly (readonly [readonly string[], RegExp])[] = [
      [['nobody'], /No such container: nobody/],
      [['-c', 'FROM x', 'refused'], /is not a valid change command/],
      [['refused', 'Bad'], /repository name \((library\/)?Bad\) must be lowercase/],
      [['refused', `x@sha256:${'7'.repeat(64)}`], /refusing to create a tag with a digest reference/],
    ]
    for (const [args, text] of refusals) {
      for (const client of [daemon.docker.bind(daemon), daemon.berth.bind(daemon)]) {
        const { code, stderr } = await client(['commit', ...args])
        assert.equal(code, 1)
        assert.match(stderr, text)
      }
    }
    await daemon.ok(['rmi', '-f', 'own:1'])
    await daemon.ok(['rm', 'refused'])
  })

  test('nothing is left afterwards', async () => {
    await assertExplained(daemon)
    const { code, stdout } = await daemon.berth(['system', 'check', '--strict'])
    assert.equal(code, 0, stdout)
  })
})
