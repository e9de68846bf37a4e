import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { errnoOf, isKind } from '../../../src/base/index.ts'
import { patience } from '../../helpers/wait.ts'
import { MemorySink, RuntimeFixture, skipReason, until } from './fixture.ts'

const skip = skipReason()

describe('ConmonRuntime adopt', { skip, timeout: 60_000 * patience }, () => {
  let fixture: RuntimeFixture
  before(async () => {
    fixture = await RuntimeFixture.open()
  })
  after(() => fixture.close())

  /** Simulates that the daemon dies and another one takes over. */
  async function restart(): Promise<void> {
    fixture.runtime.close()
    fixture.runtime = await fixture.openRuntime()
  }

  it('finds a running container, then waits, attaches, signals and removes as before', async () => {
    const id = await fixture.run(['sh', '-c', 'trap "exit 9" TERM; echo up; while true; do sleep 0.05; done'])
    await until(() => existsSync(fixture.logPath(id)) && fixture.log(id).length === 1)
    await restart()
    assert.throws(
      () => fixture.runtime.get(id),
      (error) => isKind(error, 'notFound'),
    )
    assert.equal((await fixture.runtime.adopt(id)).status, 'running')
    const sink = new MemorySink()
    const attached = await fixture.runtime.get(id).attach({ stdin: false, stdout: true, stderr: true, sink })
    fixture.runtime.get(id).kill(15)
    assert.equal((await fixture.runtime.get(id).waitExit()).exitCode, 9)
    await attached.closed
    await fixture.runtime.delete(id)
    assert.equal(existsSync(fixture.runtime.bundle(id)), false)
  })

  it('removes files of a daemon that was killed while it changed limits or started an exec', async () => {
    const id = await fixture.run(['sleep', '1000'])
    const bundle = fixture.runtime.bundle(id)
    for (const name of ['update.json', 'exec-1-1.json']) writeFileSync(join(bundle, name), '{}')
    await restart()
    assert.equal((await fixture.runtime.adopt(id)).status, 'running')
    await fixture.runtime.delete(id, { force: true })
    assert.equal(existsSync(bundle), false)
  })

  it('reads the exit that happened while no daemon ran', async () => {
    const id = await fixture.run(['sh', '-c', 'sleep 0.15; echo last; exit 7'])
    fixture.runtime.close()
    const exitFile = join(fixture.execRoot, 'exits', id)
    await until(() => existsSync(exitFile) && Date.now() - statSync(exitFile).mtimeMs >= 25)
    fixture.runtime = await fixture.openRuntime()
    const { status, exit } = await fixture.runtime.adopt(id)
    assert.equal(status, 'stopped')
    assert.equal(exit?.exitCode, 7)
    assert.ok(Date.now() - (exit?.finishedAt.getTime() ?? 0) >= 25)
    assert.equal((await fixture.runtime.get(id).waitExit()).exitCode, 7)
    assert.deepEqual(fixture.log(id), ['stdout F last'])
  })

  it('recognizes a container that was created but not started', async () => {
    const id = await fixture.create(['sh', '-c', 'exit 3'])
    await restart()
    assert.equal((await fixture.runtime.adopt(id)).status, 'created')
    await fixture.runtime.get(id).start()
    assert.equal((await fixture.runtime.get(id).waitExit()).exitCode, 3)
  })

  it('ends a container whose monitor was killed, while watching and when adopting', async () => {
    for (const adopted of [false, true]) {
      const id = await fixture.run(['sleep', '1000'])
      const { pid = 0 } = fixture.runtime.get(id).state()
      const conmonPid = Number(readFileSync(join(fixture.runtime.bundle(id), 'conmon.pid'), 'utf8'))
      if (adopted) fixture.runtime.close()
      process.kill(conmonPid, 'SIGKILL')
      if (adopted) {
        await until(() => hasEnded(conmonPid))
        fixture.runtime = await fixture.openRuntime()
        await fixture.runtime.adopt(id)
      }
      const exit = await fixture.runtime.get(id).waitExit()
      // A runtime that watches kills the container itself. After an adoption the cause of its end is unknown.
      assert.deepEqual([exit.exitCode, exit.unknown], [adopted ? 255 : 137, true])
      await until(() => hasEnded(pid))
      await fixture.runtime.delete(id)
      assert.equal(existsSync(join(fixture.execRoot, 'crun', id)), false)
    }
  })

  for (const name of ['status', 'config.json']) {
    it(`completes a removal that was interrupted after ${name} was gone`, async () => {
      const id = await fixture.run(['true'])
      await fixture.runtime.get(id).waitExit()
      rmSync(join(fixture.execRoot, 'crun', id, name))
      await restart()
      assert.equal((await fixture.runtime.adopt(id)).exit?.exitCode, 0)
      await fixture.runtime.delete(id)
      assert.equal(existsSync(join(fixture.execRoot, 'crun', id)), false)
    })
  }

  it('reports a container without any remains as exited', async () => {
    const { status, exit } = await fixture.runtime.adopt('never-was')
    assert.equal(status, 'stopped')
    assert.equal(exit?.unknown, true)
    await fixture.runtime.delete('never-was')
  })
})

/** True once a process is a zombie, or reaped. (Its `exe` is gone earlier, while it may still hold descriptors.) */
function hasEnded(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return true
    throw error
  }
}
