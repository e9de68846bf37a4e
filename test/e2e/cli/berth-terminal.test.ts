/** Berth's command line on a real terminal: sizes, keys, signals, screens. The expected exit codes are docker's,
 *  which terminal.test.ts checks. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { RunningCommand } from '../../helpers/command.ts'
import { berthProgram, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { TerminalCommand } from '../../helpers/terminal.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  mkdirSync(join(daemon.root, 'config'))
  writeFileSync(join(daemon.root, 'config/config.json'), '{"detachKeys": "ctrl-y,z"}')
})
after(() => daemon?.[Symbol.asyncDispose]())

const size = { rows: 31, columns: 97 }
const ctrlC = '\x03'

/** Types until the text appears, because the shell may not be reading yet. */
async function typeUntil(terminal: TerminalCommand, keys: string, pattern: RegExp): Promise<void> {
  await until(
    () => {
      if (!pattern.test(terminal.stdout)) terminal.write(keys)
      return pattern.test(terminal.stdout)
    },
    { what: () => `${pattern} in ${terminal.stdout}`, intervalMs: 150 },
  )
}

const open = (args: readonly string[], options = size): TerminalCommand => daemon.terminal(args, options, berthProgram)
const run = (args: readonly string[]): RunningCommand =>
  new RunningCommand(berthProgram, ['-H', daemon.host, ...args], {}, true)
const isRunning = async (id: string) => (await daemon.ok(['inspect', '-f', '{{.State.Running}}', id])) === 'true'

test('run -it passes on size, resize and Ctrl-C, and returns the exit code', async () => {
  const terminal = open(['run', '--rm', '-it', 'busybox', 'sh'])
  await terminal.sees('/ #')
  await typeUntil(terminal, 'stty size\r', /31 97/)
  await terminal.resize(22, 66)
  await typeUntil(terminal, 'stty size\r', /22 66/)
  terminal.write('sleep 1000\r')
  await typeUntil(terminal, ctrlC, /\^C/)
  terminal.write('\rexit 42\r')
  assert.equal((await terminal.ended).code, 42)
})

test('run -it detaches by keys: the default ones, those of a flag, those of config.json', async () => {
  const config = join(daemon.root, 'config')
  const ways: readonly (readonly [string, readonly string[], string])[] = [
    ['left-default', [], '\x10\x11'],
    ['left-flag', ['--detach-keys', 'ctrl-a,x'], '\x01x'],
  ]
  for (const [container, flags, keys] of ways) {
    const terminal = open(['run', '-it', '--name', container, ...flags, 'busybox', 'sh'])
    await terminal.sees('/ #')
    terminal.write(keys)
    assert.equal((await terminal.ended).code, 0)
    assert.equal(await isRunning(container), true)
  }
  const words = [berthProgram, '--config', config, '-H', daemon.host, 'attach', 'left-default']
  const attached = new TerminalCommand(words, size)
  await typeUntil(attached, 'echo at$((1+1))\r', /at2/)
  attached.write('\x19z')
  assert.equal((await attached.ended).code, 1)
  assert.match(attached.stdout, /read escape sequence/)
  assert.equal(await isRunning('left-default'), true)
})

test("attach passes on the terminal's size and the program's exit code", async () => {
  const id = await daemon.ok(['run', '-d', '-it', 'busybox', 'sh'])
  const terminal = open(['attach', id], { rows: 20, columns: 50 })
  await typeUntil(terminal, 'stty size\r', /20 50/)
  terminal.write('exit 6\r')
  assert.equal((await terminal.ended).code, 6)
})

test('exec -it passes on size, resize and Ctrl-C, and returns the exit code', async () => {
  const id = await daemon.ok(['run', '-d', 'busybox', 'sleep', '1000'])
  const terminal = open(['exec', '-it', id, 'sh'])
  await terminal.sees('/ #')
  await typeUntil(terminal, 'stty size\r', /31 97/)
  await terminal.resize(21, 61)
  await typeUntil(terminal, 'stty size\r', /21 61/)
  terminal.write('sleep 1000\r')
  await typeUntil(terminal, ctrlC, /\^C/)
  terminal.write('\rexit 13\r')
  assert.equal((await terminal.ended).code, 13)
  const left = open(['exec', '-it', id, 'sh'])
  await left.sees('/ #')
  left.write('\x10\x11')
  assert.equal((await left.ended).code, 1)
  assert.match(left.stdout, /read escape sequence/)
})

test('signals are forwarded to the program, unless --sig-proxy=false', async () => {
  const script = 'trap "echo got it; exit 9" TERM; echo trapped; while :; do sleep 0.1; done'
  const proxied = run(['run', '--rm', 'busybox', 'sh', '-c', script])
  await proxied.sees('trapped')
  proxied.kill('SIGTERM')
  const { code, stdout } = await proxied.ended
  assert.deepEqual([code, stdout], [9, 'trapped\ngot it\n'])
  const alone = run(['run', '--sig-proxy=false', '--name', 'alone', 'busybox', 'sh', '-c', script])
  await alone.sees('trapped')
  alone.kill('SIGTERM')
  const ended = await alone.ended
  assert.notEqual(ended.code, 9)
  assert.equal(await isRunning('alone'), true)
})

test('Ctrl-C ends logs -f, events, stats and wait', async () => {
  const id = await daemon.ok(['run', '-d', 'busybox', 'sh', '-c', 'echo started; exec sleep 1000'])
  const watchers: readonly (readonly [readonly string[], RegExp | undefined])[] = [
    [['logs', '-f', id], /started/],
    [['events', '--since', '1h'], /container start/],
    [['stats', id], /CONTAINER ID +NAME +CPU %[\s\S]*0\.\d\d%/],
    [['wait', id], undefined],
  ]
  for (const [args, shown] of watchers) {
    const terminal = open(args, { rows: 24, columns: 160 })
    if (shown !== undefined) await terminal.sees(shown)
    else await until(() => terminal.pid > 0)
    await until(
      () => {
        terminal.write(ctrlC)
        return terminal.hasEnded
      },
      { what: `${args[0]} to end`, intervalMs: 150 },
    )
    assert.equal((await terminal.ended).code, 130, args.join(' '))
  }
  assert.equal(await isRunning(id), true)
})

test('berth stats redraws its screen', async () => {
  const id = await daemon.ok(['run', '-d', 'busybox', 'sleep', '1000'])
  const terminal = daemon.terminal(['stats', id], { rows: 24, columns: 160 }, berthProgram)
  // Twice from the top of the screen.
  await terminal.sees(/\x1b\[H[\s\S]*CPU %[\s\S]*\x1b\[H[\s\S]*CPU %/)
  terminal.write(ctrlC)
  await terminal.ended
})

test('the question of prune takes one line, and leaves the next one to the shell', async () => {
  await daemon.ok(['create', '--name', 'prunable', '--label', 'prune-asks', 'busybox'])
  const prune = `'${berthProgram}' -H ${daemon.host} container prune --filter label=prune-asks`
  const terminal = new TerminalCommand(['sh', '-c', `${prune}; read -r next; echo "the shell got <$next>"; ${prune}`])
  await terminal.sees('[y/N]')
  // Both lines are typed ahead, as by an impatient user.
  terminal.write('n\rnext line\r')
  await terminal.sees('the shell got <next line>')
  await until(() => terminal.stdout.split('[y/N]').length === 3, {
    what: () => `a second question in ${terminal.stdout}`,
  })
  assert.equal((await daemon.ok(['ps', '-aqf', 'name=prunable'])) === '', false)
  terminal.write('Y\r')
  const { code, stdout } = await terminal.ended
  assert.equal(code, 0)
  assert.match(stdout, /Deleted Containers:/)
  assert.equal(await daemon.ok(['ps', '-aqf', 'name=prunable']), '')
})

test('three Ctrl-C give up on a container that ignores them; run, start and attach say so', async () => {
  const script = 'trap "" INT; while :; do echo tick; sleep 0.1; done'
  for (const args of [
    ['run', '--name', 'deaf', 'busybox', 'sh', '-c', script],
    ['attach', 'deaf'],
    ['start', '--attach', 'deaf'],
  ]) {
    if (args[0] === 'start') await daemon.ok(['kill', 'deaf'])
    const terminal = open(args)
    await terminal.sees('tick')
    await until(
      () => {
        if (!terminal.hasEnded) terminal.write(ctrlC)
        return terminal.hasEnded
      },
      { what: () => `the end of ${args[0]}: ${terminal.stdout}`, intervalMs: 150 },
    )
    const { code, stdout } = await terminal.ended
    assert.equal(code, 1, stdout)
    assert.match(stdout, /gave up on the container after 3 interrupts; if it still runs, end it with: berth kill deaf/)
    assert.equal(await isRunning('deaf'), true)
  }
  await daemon.ok(['rm', '-f', 'deaf'])
})
