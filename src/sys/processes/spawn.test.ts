import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { test } from 'node:test'
import { until } from '../../../test/helpers/wait.ts'
import { closeFd, makePipe, oCloexec, openFd, readFd, writeFd } from '../native/fd.ts'
import { runCommand } from './run-command.ts'
import { spawnProcess } from './spawn.ts'

const sh = '/bin/sh'

test('spawnProcess: exit codes and signals', async () => {
  const codes = await Promise.all(
    [0, 1, 7, 255].map((code) => spawnProcess({ path: sh, args: ['-c', `exit ${code}`] }).exited),
  )
  assert.deepEqual(
    codes,
    [0, 1, 7, 255].map((code) => ({ code, signal: null })),
  )
  const child = spawnProcess({ path: 'sleep', args: ['100'] })
  assert.equal(child.kill(constants.signals.SIGTERM), true)
  assert.deepEqual(await child.exited, { code: null, signal: constants.signals.SIGTERM })
  assert.equal(child.kill(9), false)
})

test('spawnProcess: 500 children at once, all of them reaped', async () => {
  const children = Array.from({ length: 500 }, (_, index) =>
    spawnProcess({ path: sh, args: ['-c', `exit ${index % 200}`] }),
  )
  const results = await Promise.all(children.map((child) => child.exited))
  assert.deepEqual(
    results.map((result) => result.code),
    children.map((_, index) => index % 200),
  )
  const zombies = await runCommand('ps', ['-o', 'stat=', '--ppid', String(process.pid)])
  assert.doesNotMatch(zombies.stdout.toString(), /Z/)
})

test('spawnProcess: a program that is missing or not executable', () => {
  assert.throws(() => spawnProcess({ path: '/nonexistent/program' }), { code: 'ENOENT' })
  assert.throws(() => spawnProcess({ path: 'berth-no-such-program' }), { code: 'ENOENT' })
  assert.throws(() => spawnProcess({ path: '/etc' }), { code: 'EACCES' })
})

test('spawnProcess: failed starts leak no descriptor', () => {
  const before = openFds().length
  for (let count = 0; count < 50; count++)
    assert.throws(() => spawnProcess({ path: '/nonexistent' }), { code: 'ENOENT' })
  assert.equal(openFds().length, before)
})

test('spawnProcess: without free descriptors it throws, and leaves nothing running', async () => {
  const module = JSON.stringify(new URL('../index.ts', import.meta.url).href)
  const script = `
    import { closeFd, duplicateFd, spawnProcess } from ${module}
    import { readdirSync } from 'node:fs'
    await spawnProcess({ path: 'true' }).exited
    const copies = []
    try { for (;;) copies.push(duplicateFd(0)) } catch {}
    let code
    try { spawnProcess({ path: 'sleep', args: ['5'] }) } catch (error) { code = error.code }
    for (const fd of copies) closeFd(fd)
    const left = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && parentOf(name) === process.pid)
    function parentOf(pid) { try { return Number(/PPid:\\s+(\\d+)/.exec(process.getBuiltinModule('fs').readFileSync('/proc/' + pid + '/status', 'utf8'))[1]) } catch { return 0 } }
    process.exit(code === 'EMFILE' && left.length === 0 ? 0 : 1)`
  const args = ['-c', 'ulimit -n 60; exec "$0" --input-type=module -e "$1"', process.execPath, script]
  assert.equal((await runCommand('/bin/bash', args)).code, 0)
})

test('spawnProcess: overlapping descriptor numbers', async () => {
  // Children print what they read from 3 and 4, whose sources are each other's numbers.
  const pipes = Array.from({ length: 6 }, () => makePipe())
  const readEnds = pipes.map(([readEnd]) => readEnd)
  for (const [index, [, writeEnd]] of pipes.entries()) {
    writeFd(writeEnd, Buffer.from(`pipe${index}\n`))
    closeFd(writeEnd)
  }
  const [a = -1, b = -1, c = -1] = readEnds
  // a ← b, b ← a, c ← c: a swap and an identity on our own numbers.
  const [outRead, outWrite] = makePipe()
  const child = spawnProcess({
    path: '/bin/bash',
    args: ['-c', `cat <&${a}; cat <&${b}; cat <&${c}; ls /proc/self/fd | wc -l`],
    fds: new Map([
      [a, b],
      [b, a],
      [c, c],
      [1, outWrite],
    ]),
  })
  closeFd(outWrite)
  assert.deepEqual(await child.exited, { code: 0, signal: null })
  const buffer = Buffer.alloc(1000)
  const text = buffer.toString('utf8', 0, readFd(outRead, buffer))
  // 0, 1, 2, the three others, and the directory that ls opened. Nothing else was inherited.
  assert.equal(text, 'pipe1\npipe0\npipe2\n7\n')
  for (const fd of [...readEnds, outRead]) closeFd(fd)
})

test('spawnProcess: our 0, 1, 2 as sources of other numbers', async () => {
  const [outRead, outWrite] = makePipe()
  const child = spawnProcess({
    path: sh,
    args: ['-c', 'readlink /proc/self/fd/0; readlink /proc/self/fd/5'],
    fds: new Map([
      [5, 2],
      [1, outWrite],
    ]),
  })
  closeFd(outWrite)
  await child.exited
  const buffer = Buffer.alloc(1000)
  const [stdin, five] = buffer.toString('utf8', 0, readFd(outRead, buffer)).split('\n')
  closeFd(outRead)
  assert.equal(stdin, '/dev/null')
  assert.notEqual(five, '/dev/null')
})

test('spawnProcess: environment, directory, name, session and signals', async () => {
  const shown = await runCommand(sh, ['-c', 'echo $A $B; pwd; env | grep -c .'], {
    env: { A: '1', B: 'zwei' },
    cwd: '/usr',
  })
  assert.match(shown.stdout.toString(), /^1 zwei\n\/usr\n/)
  const child = spawnProcess({ path: 'sleep', args: ['10'], setsid: true, argv0: 'berth-test-name' })
  // The kernel publishes details of the new program a moment after posix_spawn has returned.
  const commandLine = () => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')
  await until(() => commandLine().startsWith('berth-test-name\0'), { what: commandLine })
  const status = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')
  assert.equal(Number(status?.[3]), child.pid, 'session id')
  const signals = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  assert.match(signals, /SigBlk:\s+0+\n/)
  // Includes 32 and 33, which the C library reserves.
  assert.match(signals, /SigIgn:\s+0+\n/)
  child.kill(9)
  await child.exited
})

test('runCommand: output, code and input', async () => {
  const result = await runCommand(sh, ['-c', 'cat; echo err >&2; exit 3'], { input: 'hello' })
  assert.deepEqual(result, { code: 3, stdout: Buffer.from('hello'), stderr: 'err\n' })
  assert.equal((await runCommand(sh, ['-c', 'kill -9 $$'])).code, 137)
  await assert.rejects(runCommand('/nonexistent', []), { code: 'ENOENT' })
})

test('runCommand: 20 MB through a pipe both ways', async () => {
  const input = Buffer.alloc(20_000_000, 'abcdefghij')
  const { stdout } = await runCommand('cat', [], { input })
  assert.equal(stdout.byteLength, input.byteLength)
  assert.ok(stdout.equals(input))
})

test('runCommand: a program that does not read its input', async () => {
  assert.equal((await runCommand('true', [], { input: Buffer.alloc(1_000_000) })).code, 0)
})

test('runCommand: time limit, abort and output limit', async () => {
  await assert.rejects(runCommand('sleep', ['10'], { timeoutMs: 30 }), { kind: 'unavailable' })
  const controller = new AbortController()
  const stopped = assert.rejects(runCommand('sleep', ['10'], { signal: controller.signal }), { message: 'stop it' })
  controller.abort(new Error('stop it'))
  await stopped
  await assert.rejects(runCommand('yes', [], { maxOutputBytes: 100_000 }), { kind: 'dataLoss' })
})

test('runCommand: a background child that keeps the pipes open does not hold the call', async () => {
  const result = await runCommand(sh, ['-c', 'sleep 1 & echo started'])
  assert.equal(result.stdout.toString(), 'started\n')
})

test('runCommand: leaks no descriptor', async () => {
  await runCommand('true', [])
  const before = openFds().length
  for (let count = 0; count < 20; count++) await runCommand('cat', [], { input: 'x' })
  assert.equal(openFds().length, before)
})

test('openFd: always close-on-exec', () => {
  const fd = openFd('/dev/null', 0)
  const flags = Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8)
  closeFd(fd)
  assert.equal(flags & oCloexec, oCloexec)
})

function openFds(): readonly string[] {
  return readdirSync('/proc/self/fd')
}
