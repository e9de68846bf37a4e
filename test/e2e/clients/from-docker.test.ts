/** The commands that move images and volumes from Debian's dockerd to Berth. They are read from docs/from-docker.md. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { getXattr, setXattr } from '../../../src/sys/index.ts'
import { runCommand, runOrThrow } from '../../helpers/command.ts'
import { berthProgram, dockerProgram, noDockerCli, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { StockDocker } from '../../helpers/daemons/stock-docker.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/from-docker.md'), 'utf8')
let berth: TestDaemon
let docker: StockDocker

before(async () => {
  if (noDockerCli !== false) return
  ;[berth, docker] = await Promise.all([TestDaemon.start(), StockDocker.start()])
  mkdirSync(join(berth.root, 'bin'))
  for (const [name, program] of [
    ['docker', dockerProgram ?? ''],
    ['berth', berthProgram],
  ] as const) {
    symlinkSync(program, join(berth.root, 'bin', name))
  }
  // Replaces the page's `sudo`: the tests run as root.
  writeFileSync(join(berth.root, 'bin/sudo'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 })
  for (const reference of ['app:1', 'web:2']) {
    const path = join(docker.root, 'image.tar')
    await writeBusyboxArchive({ path, reference, config: { Labels: { name: reference } } })
    await docker.ok(['load', '-q', '-i', path])
  }
})
after(async () => {
  await docker?.[Symbol.asyncDispose]()
  await berth?.[Symbol.asyncDispose]()
})

/** Runs the commands below a heading of the page: `docker` uses dockerd, `berth` uses Berth's daemon. */
async function follow(heading: string): Promise<void> {
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const commands = [...(section.split('\n## ')[0] ?? '').matchAll(/^\$ (.*)$/gm)].map(([, command]) => command ?? '')
  assert.ok(commands.length > 0, heading)
  const env = {
    PATH: `${berth.root}/bin:${process.env.PATH}`,
    DOCKER_HOST: docker.host,
    BERTH_HOST: berth.host,
  }
  for (const command of commands) await runOrThrow('bash', ['-o', 'pipefail', '-c', command], { env })
}

test('images move with ids and tags', { skip: noDockerCli }, async () => {
  await follow('Take images along')
  const list = ['images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}']
  const lines = (text: string) => text.split('\n').sort()
  assert.deepEqual(lines(await berth.ok(list)), lines(await docker.ok(list)))
})

test('volumes move with contents, owners and attributes', { skip: noDockerCli }, async () => {
  await docker.ok(['volume', 'create', 'data'])
  const content = await docker.ok(['volume', 'inspect', '-f', '{{.Mountpoint}}', 'data'])
  const make = 'mkdir d && echo text >d/f && ln -s d/f link && chown 70:71 d/f && chmod 4750 d/f'
  const look = 'find . -printf "%P %y %m %U:%G %l\\n" | sort; cat d/f'
  await runOrThrow('sh', ['-c', make], { cwd: content })
  setXattr(join(content, 'd/f'), 'user.a', Buffer.from('b'))
  await follow('Take volumes along')
  const moved = await berth.ok(['volume', 'inspect', '-f', '{{.Mountpoint}}', 'data'])
  const [theirs, ours] = [content, moved].map((cwd) => runCommand('sh', ['-c', look], { cwd }))
  assert.deepEqual(await ours, await theirs)
  assert.equal(getXattr(join(moved, 'd/f'), 'user.a')?.toString(), 'b')
})
