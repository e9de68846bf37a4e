/** Size limits of writable layers and volumes, on file systems that support them. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { QuotaDisk, type QuotaFileSystem } from '../../helpers/disks/quota-disk.ts'
import { until } from '../../helpers/wait.ts'

const megabyte = 1024 * 1024
/** The error of each file system for a full quota. */
const full = /No space left on device|Disk quota exceeded/
const fill = (path: string, megabytes: number) => `dd if=/dev/zero of=${path} bs=1M count=${megabytes} 2>&1`
/** The size in bytes that `df` shows for a path. */
const sizeOf = (path: string) => `df -B 1 ${path} | awk 'NR > 1 { print $(NF - 4) }'`

interface Scene {
  readonly disk: QuotaDisk
  readonly daemon: TestDaemon
  run(options: readonly string[], script: string): Promise<{ readonly code: number | null; readonly stdout: string }>
}

function sizeTest(
  kind: QuotaFileSystem,
  title: string,
  flags: readonly string[],
  work: (scene: Scene) => Promise<void>,
) {
  test(`${kind}: ${title}`, async (t) => {
    const made = QuotaDisk.make(kind)
    if (typeof made === 'string') return t.skip(made)
    using disk = made
    mkdirSync(join(disk.path, 'd'))
    await using daemon = await TestDaemon.start({ dataRoot: join(disk.path, 'd'), flags })
    await daemon.loadBusybox()
    await work({
      disk,
      daemon,
      run: (options, script) =>
        daemon.docker(['run', '--rm', '--network', 'none', ...options, 'busybox', 'sh', '-c', script]),
    })
  })
}

for (const kind of ['xfs', 'ext4'] as const) {
  sizeTest(kind, 'HostConfig.StorageOpt: a container writes as much as its size says', [], async (scene) => {
    const { disk, daemon, run } = scene
    assert.equal((await run(['--storage-opt', 'size=20m'], sizeOf('/'))).stdout.trim(), String(20 * megabyte))
    const options = ['--name', 'small', '--network', 'none', '--storage-opt', 'size=20M']
    await daemon.ok(['run', '-d', ...options, 'busybox', 'sleep', '1000'])
    assert.equal(await daemon.ok(['inspect', '-f', '{{json .HostConfig.StorageOpt}}', 'small']), '{"size":"20M"}')
    assert.deepEqual(disk.limits(), [20 * megabyte])
    await daemon.ok(['exec', 'small', 'sh', '-c', fill('/a', 10)])
    // The file system has the limit, so it applies while no daemon runs, and under the next one.
    await daemon.kill9()
    await daemon.start()
    assert.match((await daemon.docker(['exec', 'small', 'sh', '-c', fill('/b', 15)])).stdout, full)
    await daemon.ok(['restart', '-t', '0', 'small'])
    assert.match((await daemon.docker(['exec', 'small', 'sh', '-c', fill('/c', 15)])).stdout, full)
    // Other containers can use the whole disk, and an image of this one has no limit.
    assert.equal((await run([], fill('/a', 30))).code, 0)
    await daemon.ok(['exec', 'small', 'rm', '-f', '/b', '/c'])
    await daemon.ok(['commit', 'small', 'grown'])
    await daemon.ok(['run', '--rm', '--network', 'none', 'grown', 'sh', '-c', `test -s /a && ${fill('/d', 25)}`])
    await daemon.ok(['rm', '-f', 'small'])
    assert.deepEqual(disk.limits(), [])
  })

  sizeTest(kind, 'overlay2.size: containers and build steps', ['--storage-opt', 'overlay2.size=16M'], async (scene) => {
    const { daemon, disk, run } = scene
    assert.equal((await run([], sizeOf('/'))).stdout.trim(), String(16 * megabyte))
    assert.equal((await run(['--storage-opt', 'size=24M'], fill('/a', 20))).code, 0)
    assert.match((await run([], fill('/a', 20))).stdout, full)
    const context = mkdtempSync(join(daemon.root, 'c-'))
    const build = async (megabytes: number) => {
      writeFileSync(join(context, 'Dockerfile'), `FROM busybox\nRUN ${fill('/a', megabytes)}\n`)
      return daemon.berth(['build', '--network', 'none', '-t', 'built', context])
    }
    const { code, stderr } = await build(20)
    assert.notEqual(code, 0)
    assert.match(stderr, full)
    assert.equal((await build(10)).code, 0)
    // A layer has no writer anymore.
    await until(() => disk.limits().length === 0, { what: () => `limits: ${disk.limits()}` })
    rmSync(context, { recursive: true })
  })

  sizeTest(kind, 'volumes of a size', [], async ({ daemon, disk, run }) => {
    await daemon.ok(['volume', 'create', '-o', 'size=10m', 'vol'])
    assert.equal(await daemon.ok(['volume', 'inspect', '-f', '{{json .Options}}', 'vol']), '{"size":"10m"}')
    await daemon.restart()
    assert.match((await run(['-v', 'vol:/v'], fill('/v/a', 15))).stdout, full)
    assert.equal((await run(['-v', 'vol:/v'], `rm /v/a; ${sizeOf('/v')}`)).stdout.trim(), String(10 * megabyte))
    const mount = 'type=volume,src=other,dst=/v,volume-opt=size=5m'
    assert.match((await run(['--mount', mount], fill('/v/a', 8))).stdout, full)
    assert.deepEqual(disk.limits(), [5 * megabyte, 10 * megabyte])
    await daemon.ok(['volume', 'rm', 'vol', 'other'])
    await until(() => disk.limits().length === 0, { what: () => `limits: ${disk.limits()}` })
  })
}
