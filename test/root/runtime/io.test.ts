import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isKind } from '../../../src/base/index.ts'
import { readLogs, rotateLog } from '../../../src/logs/index.ts'
import type { OciProcess } from '../../../src/oci/index.ts'
import { capabilitySets, defaultCapabilities, type ExecHandle } from '../../../src/runtime/index.ts'
import { patience } from '../../helpers/wait.ts'
import { MemorySink, RuntimeFixture, skipReason, until } from './fixture.ts'

const skip = skipReason()
const processOf = (args: string[], changes: Partial<OciProcess> = {}): OciProcess => ({
  terminal: false,
  user: { uid: 0, gid: 0 },
  args,
  env: ['PATH=/bin'],
  cwd: '/',
  capabilities: capabilitySets(defaultCapabilities),
  ...changes,
})

/** Pids of runtimes that are starting an exec in the container, or waiting to. */
function execRuntimes(id: string): string[] {
  return globSync('/proc/[0-9]*/cmdline').filter((path) => {
    try {
      const words = readFileSync(path, 'utf8').split('\0')
      return words.includes('exec') && words.includes('--process') && words.includes(id)
    } catch {
      return false // the process has just ended
    }
  })
}

describe('ConmonRuntime attach', { skip, concurrency: true, timeout: 60_000 * patience }, () => {
  let fixture: RuntimeFixture
  before(async () => {
    fixture = await RuntimeFixture.open()
  })
  after(() => fixture.close())

  const all = { stdin: true, stdout: true, stderr: true }

  it('passes stdin and its end to the process', async () => {
    const id = await fixture.create(['sh', '-c', 'wc -c; echo done'], {}, { stdin: true })
    const sink = new MemorySink()
    const attached = await fixture.runtime.get(id).attach({ ...all, sink })
    await fixture.runtime.get(id).start()
    const chunk = Buffer.alloc(100_000, 'x')
    for (let count = 0; count < 30; count++) {
      if (!attached.write(chunk)) await new Promise<void>((resolve) => attached.onDrain(resolve))
    }
    attached.endStdin()
    assert.equal((await fixture.runtime.get(id).waitExit()).exitCode, 0)
    await attached.closed
    assert.equal(sink.text(), '3000000\ndone\n')
  })

  it('keeps stdin open for the next client with leaveStdinOpen', async () => {
    const id = await fixture.run(['cat'], {}, { stdin: true, leaveStdinOpen: true })
    for (const word of ['one\n', 'two\n']) {
      const sink = new MemorySink()
      const attached = await fixture.runtime.get(id).attach({ ...all, sink })
      attached.write(Buffer.from(word))
      await until(() => sink.text() === word)
      attached.close()
    }
    assert.equal(fixture.runtime.get(id).state().status, 'running')
  })

  it('does not end stdin when a client without stdin leaves', async () => {
    const id = await fixture.run(['cat'], {}, { stdin: true })
    const sink = new MemorySink()
    const watcher = await fixture.runtime.get(id).attach({ ...all, stdin: false, sink, keepOpen: true })
    const writer = await fixture.runtime.get(id).attach({ ...all, sink: new MemorySink() })
    watcher.close()
    await watcher.closed
    writer.write(Buffer.from('still here\n'))
    await until(() => fixture.log(id).length === 1)
    writer.endStdin()
    assert.equal((await fixture.runtime.get(id).waitExit()).exitCode, 0)
    assert.equal(sink.text(), '')
  })

  it('gives several clients the same output, each stream in order', async () => {
    const script = 'i=0; while [ $i -lt 300 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done'
    const id = await fixture.create(['sh', '-c', script])
    const sinks = [new MemorySink(), new MemorySink()]
    const attached = await Promise.all(
      sinks.map((sink) => fixture.runtime.get(id).attach({ ...all, stdin: false, sink })),
    )
    await fixture.runtime.get(id).start()
    await Promise.all(attached.map(({ closed }) => closed))
    const lines = (letter: string) => Array.from({ length: 300 }, (_, index) => `${letter}${index}\n`).join('')
    for (const sink of sinks) {
      assert.equal(sink.text('stdout'), lines('o'))
      assert.equal(sink.text('stderr'), lines('e'))
    }
    assert.equal(fixture.log(id).length, 600)
  })

  it('blocks the container while the sink is full, and loses nothing', async () => {
    const id = await fixture.create(['sh', '-c', 'seq 1 400000'])
    const sink = new MemorySink()
    sink.stall = true
    const attached = await fixture.runtime.get(id).attach({ ...all, stdin: false, sink })
    await fixture.runtime.get(id).start()
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.equal(fixture.runtime.get(id).state().status, 'running')
    assert.ok(sink.bytes < 1_000_000)
    sink.drain()
    await attached.closed
    const text = sink.text()
    assert.equal(text.length, Array.from({ length: 400_000 }, (_, index) => `${index + 1}\n`).join('').length)
    assert.ok(text.startsWith('1\n2\n') && text.endsWith('399999\n400000\n'))
  })

  it('gives a terminal with its size, and resizes it', async () => {
    const wait = 'until stty size | grep -q "40 120"; do sleep 0.01; done'
    const script = `stty size; ${wait}; stty size; read x; tty 2>/dev/null; echo err >&2; exit 3`
    const id = await fixture.create(
      ['sh', '-c', script],
      { process: { terminal: true, consoleSize: { width: 91, height: 31 } } },
      { stdin: true },
    )
    const sink = new MemorySink()
    const attached = await fixture.runtime.get(id).attach({ ...all, sink })
    await fixture.runtime.get(id).start()
    await until(() => sink.text().includes('31 91'))
    fixture.runtime.get(id).resize({ width: 120, height: 40 })
    await until(() => sink.text().includes('40 120'))
    attached.write(Buffer.from('go\n'))
    assert.equal((await fixture.runtime.get(id).waitExit()).exitCode, 3)
    await attached.closed
    assert.match(sink.text('stdout'), /40 120\r\n/)
    assert.match(sink.text('stdout'), /err\r\n/)
    assert.equal(sink.text('stderr'), '')
  })

  it('carries out every message of several that conmon reads at once', async () => {
    const script = 'until stty size | grep -q "50 130"; do sleep 0.01; done; stty size'
    const terminal = { terminal: true, consoleSize: { width: 91, height: 31 } }
    const id = await fixture.create(['sh', '-c', script], { process: terminal })
    const sink = new MemorySink()
    const attached = await fixture.runtime.get(id).attach({ ...all, stdin: false, sink })
    await fixture.runtime.get(id).start()
    const conmon = Number(readFileSync(join(fixture.runtime.bundle(id), 'conmon.pid'), 'utf8'))
    process.kill(conmon, 'SIGSTOP')
    for (const [height, width] of [
      [40, 120],
      [50, 130],
    ] as const) {
      fixture.runtime.get(id).resize({ width, height })
    }
    process.kill(conmon, 'SIGCONT')
    await attached.closed
    assert.match(sink.text(), /50 130\r\n/)
  })

  it('refuses clients of a container that has ended', async () => {
    const id = await fixture.run(['true'])
    await fixture.runtime.get(id).waitExit()
    await assert.rejects(fixture.runtime.get(id).attach({ ...all, sink: new MemorySink() }), (error) =>
      isKind(error, 'conflict'),
    )
  })

  it('rotates the log of a writing container without losing a line', async () => {
    // Writes until the rotations are done, a line at a time with pauses.
    const done = join(fixture.rootfs, 'tmp/rotated')
    const id = await fixture.run([
      'sh',
      '-c',
      'i=0; until [ -e /tmp/rotated ]; do echo $i; i=$((i+1)); [ $((i % 300)) = 0 ] && sleep 0.02; done; echo end',
    ])
    const ended = fixture.runtime.get(id).waitExit()
    const sink = new MemorySink()
    const path = fixture.logPath(id)
    const following = readLogs(path, { stdout: true, stderr: true, follow: true }, sink, { ended })
    const isWritten = () => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0
    for (let count = 0; count < 3; count++) {
      await until(isWritten)
      rotateLog(path, { maxFiles: 10, reopen: () => fixture.runtime.get(id).reopenLog() })
    }
    await until(isWritten)
    writeFileSync(done, '')
    await following
    const lines = sink.text().split('\n')
    assert.deepEqual(lines.slice(-2), ['end', ''])
    assert.deepEqual(
      lines.slice(0, -2),
      Array.from({ length: lines.length - 2 }, (_, index) => String(index)),
    )
    const again = new MemorySink()
    await readLogs(path, { stdout: true, stderr: true }, again)
    assert.equal(again.text(), sink.text())
  })
})

describe('ConmonRuntime exec', { skip, concurrency: true, timeout: 60_000 * patience }, () => {
  let fixture: RuntimeFixture
  let id = ''
  before(async () => {
    fixture = await RuntimeFixture.open()
    id = await fixture.run(['sleep', '1000'])
  })
  after(() => fixture.close())

  async function run(args: string[], changes: Partial<OciProcess> = {}, stdin?: string) {
    const sink = new MemorySink()
    const handle = await fixture.runtime.get(id).execs.start({
      process: processOf(args, changes),
      stdin: stdin !== undefined,
      sink,
    })
    if (stdin !== undefined) {
      handle.write(Buffer.from(stdin))
      handle.endStdin()
    }
    return { ...(await handle.exited), sink, handle }
  }

  it('runs a process with its own streams and exit code', async () => {
    const { exitCode, sink } = await run(['sh', '-c', 'cat; echo err >&2; exit 5'], {}, 'in\n')
    assert.equal(exitCode, 5)
    assert.equal(sink.text('stdout'), 'in\n')
    assert.equal(sink.text('stderr'), 'err\n')
    assert.equal((await run(['sh', '-c', 'kill -9 $$'])).exitCode, 137)
  })

  it('is confined like the container', async () => {
    assert.match((await run(['cat', '/proc/self/status'])).sink.text(), /Seccomp:\t2/)
    assert.match((await run(['cat', '/proc/self/status'])).sink.text(), /CapEff:\t00000000a80425fb\n/)
    const { sink } = await run(['id'], { user: { uid: 1000, gid: 1000, additionalGids: [5] } })
    assert.equal(sink.text(), 'uid=1000 gid=1000 groups=5\n')
  })

  // crun sets the first size while the program is starting, so the program checks a little later.
  it('gives the process a terminal', async () => {
    const sink = new MemorySink()
    const terminal = { terminal: true, consoleSize: { width: 90, height: 30 } }
    const handle = await fixture.runtime.get(id).execs.start({
      process: processOf(['sh', '-c', 'sleep 0.1; stty size; read x; stty size; exit 4'], terminal),
      stdin: true,
      sink,
    })
    await until(() => sink.text().includes('30 90'))
    handle.resize({ width: 100, height: 50 })
    handle.write(Buffer.from('x\n'))
    assert.equal((await handle.exited).exitCode, 4)
    assert.match(sink.text(), /50 100\r\n/)
  })

  it('names a missing program', async () => {
    for (const terminal of [false, true]) {
      await assert.rejects(run(['foo'], { terminal }), (error: { message: string; details: { exitCode: number } }) => {
        assert.equal(error.details.exitCode, 127)
        assert.match(
          error.message,
          /^OCI runtime exec failed: .*exec: "foo": executable file not found in \$PATH: unknown$/,
        )
        return true
      })
    }
  })

  it('runs fifty at once, with and without a terminal, with complete output each', async () => {
    const handles = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const { exitCode, sink } = await run(['sh', '-c', `echo ${index}; exit ${index}`], {
          terminal: index % 2 === 0,
        })
        return `${exitCode} ${sink.text().trim()}`
      }),
    )
    assert.deepEqual(
      handles,
      Array.from({ length: 50 }, (_, index) => `${index} ${index}`),
    )
  })

  it('passes large amounts of data in both directions', async () => {
    const sink = new MemorySink()
    const handle: ExecHandle = await fixture.runtime
      .get(id)
      .execs.start({ process: processOf(['cat']), stdin: true, sink })
    const chunk = Buffer.alloc(65_536, 'z')
    for (let count = 0; count < 64; count++) {
      if (!handle.write(chunk)) await new Promise<void>((resolve) => handle.onDrain(resolve))
    }
    handle.endStdin()
    assert.equal((await handle.exited).exitCode, 0)
    assert.equal(sink.bytes, 64 * 65_536)
  })

  it('starts a process without a sink', async () => {
    const handle = await fixture.runtime.get(id).execs.start({
      process: processOf(['sh', '-c', 'echo $$ >/tmp/d; exit 9']),
      stdin: false,
    })
    assert.ok(handle.pid > 0)
    assert.equal((await handle.exited).exitCode, 9)
    assert.match(readFileSync(join(fixture.rootfs, 'tmp/d'), 'utf8'), /^\d+\n$/)
  })

  it('lets a runtime wait for the process, with any terminal size', async () => {
    const plan = { terminal: false, stdin: false, output: true, tools: false }
    const prepared = fixture.runtime.get(id).execs.prepare(plan)
    assert.equal(prepared?.isWaiting, true)
    const sink = new MemorySink()
    const long = 'x'.repeat(100_000)
    const env = ['PATH=/bin', `A=${long}`, `B=${long}`]
    const process = processOf(['sh', '-c', 'echo $A$B'], { env })
    const handle = await fixture.runtime.get(id).execs.start({ process, stdin: false, sink, prepared })
    assert.equal(prepared.isWaiting, false)
    assert.equal((await handle.exited).exitCode, 0)
    assert.equal(sink.text(), `${long}${long}\n`)
  })

  it('starts another runtime if the waiting one does not fit, or is gone', async () => {
    const id = await fixture.run(['sleep', '1000'])
    const plan = { terminal: false, stdin: true, output: true, tools: false }
    const unfit = fixture.runtime.get(id).execs.prepare(plan)
    const gone = fixture.runtime.get(id).execs.prepare({ ...plan, stdin: false })
    gone?.discard()
    for (const prepared of [unfit, gone]) {
      const sink = new MemorySink()
      const process = processOf(['echo', 'ran'])
      const handle = await fixture.runtime.get(id).execs.start({ process, stdin: false, sink, prepared })
      assert.equal((await handle.exited).exitCode, 0)
      assert.equal(sink.text(), 'ran\n')
      assert.equal(prepared?.isWaiting, false)
    }
    await until(() => execRuntimes(id).length === 0)
  })

  it('leaves nothing of a discarded prepared exec', async () => {
    const id = await fixture.run(['sleep', '1000'])
    const prepared = fixture.runtime.get(id).execs.prepare({ terminal: true, stdin: true, output: true, tools: false })
    try {
      // The child has its program's name a moment after its start.
      await until(() => execRuntimes(id).length === 1)
    } finally {
      prepared?.discard()
    }
    await until(() => execRuntimes(id).length === 0)
    const files = readdirSync(fixture.runtime.bundle(id)).filter((name) => name.startsWith('exec-'))
    assert.deepEqual(files, [])
  })

  it('refuses a container that has exited', async () => {
    const ended = await fixture.run(['true'])
    await fixture.runtime.get(ended).waitExit()
    await assert.rejects(
      fixture.runtime.get(ended).execs.start({ process: processOf(['true']), stdin: false }),
      (error) => isKind(error, 'conflict'),
    )
  })
})
