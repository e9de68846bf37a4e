import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type BerthError, isKind } from '../../../src/base/index.ts'
import { resolveUser } from '../../../src/runtime/index.ts'
import { patience } from '../../helpers/wait.ts'
import { MemorySink, RuntimeFixture, type SpecChanges, skipReason, until } from './fixture.ts'

const skip = skipReason()

describe('ConmonRuntime', { skip, concurrency: true, timeout: 60_000 * patience }, () => {
  let fixture: RuntimeFixture
  before(async () => {
    fixture = await RuntimeFixture.open()
  })
  after(() => fixture.close())

  async function output(args: string[], changes: SpecChanges = {}): Promise<string> {
    const id = await fixture.create(args, changes)
    const sink = new MemorySink()
    const attached = await fixture.runtime.get(id).attach({ stdin: false, stdout: true, stderr: true, sink })
    await fixture.runtime.get(id).start()
    await attached.closed
    await fixture.runtime.get(id).waitExit()
    return sink.text()
  }

  it('runs a program and records its output, exit code and time', async () => {
    const started = Date.now()
    const id = await fixture.create(['sh', '-c', 'echo out; echo err >&2; exit 7'])
    assert.equal(fixture.runtime.get(id).state().status, 'created')
    const sink = new MemorySink()
    const attached = await fixture.runtime.get(id).attach({ stdin: false, stdout: true, stderr: true, sink })
    await fixture.runtime.get(id).start()
    const exit = await fixture.runtime.get(id).waitExit()
    await attached.closed
    assert.equal(exit.exitCode, 7)
    assert.equal(exit.oomKilled, false)
    assert.ok(exit.finishedAt.getTime() >= started - 1 && exit.finishedAt.getTime() <= Date.now() + 1)
    assert.equal(sink.text('stdout'), 'out\n')
    assert.equal(sink.text('stderr'), 'err\n')
    assert.deepEqual(fixture.log(id).sort(), ['stderr F err', 'stdout F out'])
    assert.deepEqual(fixture.runtime.get(id).state(), { status: 'stopped', exit })
    await fixture.runtime.delete(id)
    assert.equal(existsSync(fixture.runtime.bundle(id)), false)
    assert.equal(existsSync(join(fixture.execRoot, 'crun', id)), false)
    assert.throws(
      () => fixture.runtime.get(id),
      (error) => isKind(error, 'notFound'),
    )
  })

  it('reports 128 + n when a signal killed it, and refuses further signals', async () => {
    const id = await fixture.run(['sleep', '100'])
    assert.equal(fixture.runtime.get(id).state().status, 'running')
    fixture.runtime.get(id).kill(9)
    assert.equal((await fixture.runtime.get(id).waitExit()).exitCode, 137)
    assert.throws(
      () => fixture.runtime.get(id).kill(9),
      (error) => isKind(error, 'conflict'),
    )
  })

  it('names a missing or non-executable program, and leaves nothing behind', async () => {
    writeFileSync(join(fixture.rootfs, 'plain'), '#!/bin/sh\n')
    const cases = [
      ['foo', 127, /exec: "foo": executable file not found in \$PATH/],
      ['/no/such', 127, /exec: "\/no\/such": stat \/no\/such: no such file or directory/],
      ['/plain', 126, /exec: "\/plain": permission denied/],
      ['/etc', 126, /exec: "\/etc": is a directory/],
    ] as const
    for (const [command, exitCode, text] of cases) {
      await assert.rejects(fixture.create([command]), (error: BerthError) => {
        assert.equal(error.kind, 'invalidArgument')
        assert.equal(error.details.exitCode, exitCode)
        assert.match(error.message, text)
        return true
      })
    }
    const broken = { files: { binds: [{ source: '/no/such/source', destination: '/x', readonly: false }] } }
    await assert.rejects(fixture.create(['true'], broken), (error: BerthError) => {
      // The message does not mention an exit code, because no program ran.
      assert.equal(error.kind, 'internal')
      assert.equal(error.details.exitCode, undefined)
      return /no\/such\/source/.test(error.message)
    })
  })

  it('applies the specification: user, limits, mounts, capabilities, filter', async () => {
    const user = resolveUser('1000:1001', {}, ['44'])
    assert.equal(await output(['id'], { process: { user } }), 'uid=1000 gid=1001 groups=44,1001\n')
    assert.equal(await output(['hostname'], { namespaces: { hostname: 'abc' } }), 'abc\n')
    assert.match(await output(['touch', '/x'], { files: { readonlyRootfs: true } }), /Read-only file system/)
    assert.match(
      await output(['sh', '-c', 'touch /m/x; cat /m/f'], {
        files: { binds: [{ source: join(fixture.root), destination: '/m', readonly: true }] },
      }),
      /Read-only file system/,
    )
    assert.match(
      await output(['grep', ' /t ', '/proc/mounts'], {
        files: { tmpfs: [{ destination: '/t', options: ['size=1m', 'exec'] }] },
      }),
      /tmpfs \/t tmpfs rw,nosuid,nodev,relatime,size=1024k/,
    )
    assert.match(await output(['grep', '/dev/shm', '/proc/mounts'], { files: { shmSizeBytes: 2 << 20 } }), /size=2048k/)
    assert.match(await output(['cat', '/proc/self/status']), /Seccomp:\t2/)
    assert.match(await output(['cat', '/proc/self/status'], { security: { seccomp: 'unconfined' } }), /Seccomp:\t0/)
    assert.match(await output(['cat', '/proc/self/status'], { security: { noNewPrivileges: true } }), /NoNewPrivs:\t1/)
    assert.match(
      await output(['cat', '/proc/self/status'], { security: { capabilities: { add: [], drop: ['ALL'] } } }),
      /CapEff:\t0+\n/,
    )
    assert.match(await output(['cat', '/proc/self/status']), /CapEff:\t00000000a80425fb\n/)
    assert.match(await output(['mount', '-t', 'tmpfs', 'x', '/tmp']), /permission denied|not permitted/i)
    assert.equal(await output(['mount', '-t', 'tmpfs', 'x', '/tmp'], { security: { privileged: true } }), '')
    assert.match(await output(['sh', '-c', 'echo 1 >/proc/sys/kernel/panic']), /Read-only file system/)
  })

  it('keeps compiled filters apart by capability set', async () => {
    const add = { security: { capabilities: { add: ['SYS_ADMIN'], drop: [] } } }
    for (let round = 0; round < 2; round++) {
      assert.match(await output(['mount', '-t', 'tmpfs', 'x', '/tmp']), /not permitted|permission denied/i)
      assert.equal(await output(['mount', '-t', 'tmpfs', 'x', '/tmp'], add), '')
    }
  })

  it('limits memory and reports that the kernel killed it', async () => {
    const id = await fixture.run(['sh', '-c', 'x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done'], {
      resources: { limits: { memoryBytes: 16 << 20, memorySwapBytes: 16 << 20 } },
    })
    const exit = await fixture.runtime.get(id).waitExit()
    assert.equal(exit.exitCode, 137)
    assert.equal(exit.oomKilled, true)
  })

  it('waits for `ready` before it creates, and rejects with its error', async () => {
    let released = false
    const ready = new Promise((resolve) => setTimeout(resolve, 60)).then(() => {
      released = true
    })
    const id = await fixture.create(['true'], {}, { ready })
    assert.ok(released)
    await fixture.runtime.get(id).start()
    assert.equal((await fixture.runtime.get(id).waitExit()).exitCode, 0)
    await assert.rejects(fixture.create(['true'], {}, { ready: Promise.reject(new Error('no network')) }), /no network/)
  })

  it('leaves no conmon after a container has exited', async () => {
    const id = await fixture.run(['true'])
    await fixture.runtime.get(id).waitExit()
    const pid = Number(readFileSync(join(fixture.runtime.bundle(id), 'conmon.pid'), 'utf8'))
    await until(() => !existsSync(`/proc/${pid}`))
  })

  it('creates many concurrently', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, (_, code) => fixture.run(['sh', '-c', `exit ${code}`])))
    const exits = await Promise.all(ids.map((id) => fixture.runtime.get(id).waitExit()))
    assert.deepEqual(
      exits.map(({ exitCode }) => exitCode),
      Array.from({ length: 20 }, (_, code) => code),
    )
    await Promise.all(ids.map((id) => fixture.runtime.delete(id)))
  })
})
