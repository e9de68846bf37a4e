/** Containers on a terminal: window size, Ctrl-C, attach and detach, exec -it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

const size = { rows: 33, columns: 101 }
const ctrlC = '\x03'
const ctrlD = '\x04'
const detach = '\x10\x11'

async function isRunning(id: string): Promise<boolean> {
  return (await daemon.ok(['inspect', '-f', '{{.State.Running}}', id])) === 'true'
}

test('run -it gives a shell with prompt, size, resize and exit code', async () => {
  const terminal = daemon.terminal(['run', '--rm', '-it', 'busybox', 'sh'], size)
  await terminal.sees('/ #')
  terminal.write('stty size; tty; echo TERM=$TERM\r')
  await terminal.sees(/33 101\r\n\/dev\/(pts\/0|console)\r\nTERM=xterm\r\n/)
  await terminal.resize(20, 60)
  await until(
    async () => {
      terminal.write('stty size\r')
      return terminal.stdout.includes('20 60')
    },
    { what: 'the new size', intervalMs: 100 },
  )
  terminal.write('exit 42\r')
  assert.equal((await terminal.ended).code, 42)
})

test('a program gets the size that the client sends at the start', async () => {
  const script = 'while [ "$(stty size)" = "0 0" ]; do sleep 0.02; done; stty size'
  const terminal = daemon.terminal(['run', '--rm', '-it', 'busybox', 'sh', '-c', script], size)
  const { stdout } = await terminal.ended
  assert.match(stdout, /33 101/)
})

test('Ctrl-C interrupts the program in the shell, Ctrl-D ends the shell', async () => {
  const terminal = daemon.terminal(['run', '--rm', '-it', 'busybox', 'sh'], size)
  await terminal.sees('/ #')
  terminal.write('sleep 1000; echo code=$?\r')
  await terminal.sees('sleep 1000; echo')
  await until(
    async () => {
      terminal.write(ctrlC)
      return terminal.stdout.includes('^C')
    },
    { what: '^C', intervalMs: 100 },
  )
  terminal.write('\recho still here $((1+1))\r')
  await terminal.sees('still here 2')
  terminal.write(ctrlD)
  const { code } = await terminal.ended
  assert.ok(code === 0 || code === 130, `code ${code}`)
})

test('-t without -i shows output as a terminal does', async () => {
  const { stdout } = await daemon.docker(['run', '--rm', '-t', 'busybox', 'sh', '-c', 'echo a; echo b >&2; test -t 1'])
  assert.equal(stdout, 'a\r\nb\r\n')
})

test('detach keys leave the container running; attach connects again', async () => {
  const first = daemon.terminal(['run', '-it', '--name', 'shell', 'busybox', 'sh'], size)
  await first.sees('/ #')
  first.write('x=remembered\r')
  await first.sees('x=remembered')
  first.write(detach)
  const { code, stdout } = await first.ended
  assert.equal(code, 0)
  assert.match(stdout, /read escape sequence|\/ #/)
  assert.equal(await isRunning('shell'), true)
  const second = daemon.terminal(['attach', 'shell'], { rows: 30, columns: 90 })
  await until(
    async () => {
      second.write('echo $x; stty size\r')
      return /remembered\r\n30 90/.test(second.stdout)
    },
    { what: 'the shell to answer', intervalMs: 100 },
  )
  second.write('exit 6\r')
  assert.equal((await second.ended).code, 6)
  await daemon.ok(['rm', 'shell'])
})

test('--detach-keys sets the keys', async () => {
  const terminal = daemon.terminal(['run', '-it', '--name', 'keys', '--detach-keys', 'ctrl-x,x', 'busybox', 'sh'], size)
  await terminal.sees('/ #')
  terminal.write('\x18x')
  assert.equal((await terminal.ended).code, 0)
  assert.equal(await isRunning('keys'), true)
  await daemon.ok(['rm', '-f', 'keys'])
})

test('attach shows output to several clients; --no-stdin; exit code', async () => {
  const script = 'while read line && [ "$line" != last ]; do echo "got $line"; done; echo end; exit 9'
  const id = await daemon.ok(['run', '-d', '-i', 'busybox', 'sh', '-c', script])
  const watchers = [daemon.spawnDocker(['attach', '--no-stdin', id]), daemon.spawnDocker(['attach', '--no-stdin', id])]
  const writer = daemon.spawnDocker(['attach', id])
  const clients = [writer, ...watchers]
  await until(
    () => {
      writer.write('hello\n')
      return clients.every(({ stdout }) => stdout.includes('got hello\n'))
    },
    { what: 'all three to be attached', intervalMs: 100 },
  )
  writer.write('last\n')
  const results = await Promise.all(clients.map((client) => client.ended))
  for (const { stdout } of results) assert.match(stdout, /^(got hello\n)+end\n$/)
  assert.deepEqual(
    results.map(({ code }) => code),
    [9, 9, 9],
  )
  await daemon.ok(['rm', id])
})

test('exec -it has its own terminal', async () => {
  const id = await daemon.ok(['run', '-d', 'busybox', 'sleep', '1000'])
  const terminal = daemon.terminal(['exec', '-it', id, 'sh'], size)
  await terminal.sees('/ #')
  await until(
    async () => {
      terminal.write('stty size\r')
      return terminal.stdout.includes('33 101')
    },
    { what: 'the size', intervalMs: 100 },
  )
  await terminal.resize(21, 61)
  await until(
    async () => {
      terminal.write('stty size\r')
      return terminal.stdout.includes('21 61')
    },
    { what: 'the new size', intervalMs: 100 },
  )
  terminal.write('sleep 1000\r')
  // The shell reads its line with signals off, so a single ^C may come too early to be a signal.
  await until(
    () => {
      terminal.write(ctrlC)
      return terminal.stdout.includes('^C')
    },
    { what: '^C', intervalMs: 100 },
  )
  terminal.write('\rexit 13\r')
  assert.equal((await terminal.ended).code, 13)
  await daemon.ok(['rm', '-f', id])
})

test('berth run -it gives a shell', async () => {
  const terminal = daemon.terminal(['run', '--rm', '-it', 'busybox', 'sh'], size, 'bin/berth')
  await terminal.sees('/ #')
  await until(
    async () => {
      terminal.write('stty size\r')
      return terminal.stdout.includes('33 101')
    },
    { what: 'the size', intervalMs: 100 },
  )
  terminal.write('exit 14\r')
  assert.equal((await terminal.ended).code, 14)
})
