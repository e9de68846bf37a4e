/** A power failure loses nothing that was created a moment before. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import { clientProgram, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { CutDisk } from '../../helpers/disks/cut-disk.ts'
import { until } from '../../helpers/wait.ts'

/** Whether everything that was created before a time is on the disk. */
function isSettled(daemon: TestDaemon, sinceMs: number): boolean {
  return readFileSync(daemon.logPath, 'utf8')
    .split('\n')
    .filter((line) => line.includes('what was made is on the disk'))
    .some((line) => {
      const { time, ms } = JSON.parse(line) as { time: string; ms: number }
      return Date.parse(time) - ms > sinceMs
    })
}

test('images and containers are on the disk soon after their creation, without a clean stop', async () => {
  await using disk = await CutDisk.make()
  const dataRoot = join(disk.path, 'd')
  mkdirSync(dataRoot)
  await using daemon = await TestDaemon.start({ dataRoot, flags: ['--log-level', 'debug'] })
  await daemon.loadBusybox()

  const context = join(daemon.root, 'context')
  mkdirSync(join(context, 'data'), { recursive: true })
  const hash = createHash('sha256')
  for (let file = 0; file < 20; file++) {
    const content = randomBytes(file * 10_000)
    hash.update(content)
    writeFileSync(join(context, 'data', String(100 + file)), content)
  }
  const sum = hash.digest('hex')
  await runOrThrow('tar', ['-C', context, '-cf', join(daemon.root, 'data.tar'), 'data'])
  await daemon.ok(['import', join(daemon.root, 'data.tar'), 'imported'])
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY data /data\n')
  const { code, stderr } = await daemon.berth(['build', '-q', '-t', 'built', context])
  assert.equal(code, 0, stderr)
  await daemon.ok(['volume', 'create', 'kept'])
  await daemon.ok(['create', '--name', 'made', '--network', 'none', 'built', 'true'])
  await daemon.ok(['run', '-d', '--name', 'ran', '--network', 'none', '-v', 'kept:/kept', 'built', 'sleep', '1000'])
  const madeAt = Date.now()
  await until(() => isSettled(daemon, madeAt), { what: () => 'the data to be written' })
  disk.cut()

  await daemon.ok(['rm', '-f', 'ran'])
  await daemon.kill9()
  await disk.powerOn()
  await daemon.start()
  const check = await daemon.berth(['system', 'check'])
  assert.equal(check.code, 0, check.stdout + check.stderr)
  await daemon.ok(['create', '--name', 'look', '--network', 'none', 'imported', 'none'])
  for (const name of ['look', 'made', 'ran']) {
    const text = await runOrThrow('sh', [
      '-c',
      `${clientProgram} -H ${daemon.host} cp ${name}:/data - | tar -xOf - --wildcards 'data/1*' | sha256sum`,
    ])
    assert.equal(text.split(' ')[0], sum, name)
  }
  assert.equal(await daemon.ok(['volume', 'ls', '-q']), 'kept')
  assert.equal(await daemon.ok(['inspect', '-f', '{{.State.Running}}', 'ran']), 'false')
  await daemon.ok(['start', 'ran'])
  await daemon.ok(['rm', '-f', 'ran', 'made', 'look'])
})
