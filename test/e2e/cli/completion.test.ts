/** Completion in real shells, with the names of a real daemon. */
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runCommand } from '../../helpers/command.ts'
import { berthProgram, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { TerminalCommand } from '../../helpers/terminal.ts'

let daemon: TestDaemon
let env: Record<string, string>

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox('busy:1.0')
  await daemon.ok(['run', '-d', '--name', 'walking', 'busy:1.0', 'sleep', '1000'])
  await daemon.ok(['create', '--name', 'waiting', 'busy:1.0'])
  await daemon.ok(['volume', 'create', 'wares'])
  mkdirSync(join(daemon.root, 'bin'))
  mkdirSync(join(daemon.root, 'home'))
  symlinkSync(berthProgram, join(daemon.root, 'bin/berth'))
  env = {
    PATH: `${join(daemon.root, 'bin')}:${process.env.PATH}`,
    HOME: join(daemon.root, 'home'),
    DOCKER_HOST: daemon.host,
    TERM: 'dumb',
  }
})
after(() => daemon?.[Symbol.asyncDispose]())

/** Types a line into an interactive shell, with a tab where the line has one; the shell then runs the line. */
async function type(shell: readonly string[], load: string, keys: string): Promise<string> {
  const terminal = new TerminalCommand(shell, { env, cwd: daemon.root, rows: 40, columns: 200 })
  terminal.write(`${load}\r`)
  terminal.write('echo rea""dy\r')
  await terminal.sees('ready')
  terminal.write(keys)
  try {
    // The output of the line, not the line itself.
    await terminal.sees(/<[^<>\r\n$]*>\r?\n/)
    return terminal.stdout
  } finally {
    terminal.write('\x15exit\r')
    await terminal.ended
  }
}

const bash = ['bash', '--norc', '--noprofile', '-i'] as const
const zsh = ['zsh', '-f', '-i'] as const

test('bash completes commands, flags and names', async () => {
  const ask = async (line: string): Promise<string[]> => {
    const script = `source <(berth completion bash); COMP_WORDS=(berth); COMP_LINE=$1; COMP_POINT=\${#1}; _berth; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = await runCommand('bash', ['--norc', '-c', script, 'bash', line], { env })
    assert.equal(stderr, '')
    return stdout.trim().split('\n').toSorted()
  }
  assert.deepEqual(await ask('berth container pa'), ['pause'])
  assert.deepEqual(await ask('berth stop wa'), ['walking'])
  assert.deepEqual(await ask('berth start wa'), ['waiting'])
  assert.deepEqual(await ask('berth ps --no'), ['--no-trunc'])
  assert.deepEqual(await ask('berth volume rm "wa'), ['wares'])
  // The part after the colon, because a colon ends a word for bash.
  assert.deepEqual(await ask('berth rmi busy:'), ['1.0'])
})

test('bash completes in a terminal', async () => {
  const shown = await type(bash, 'source <(berth completion bash)', 'berth inspect -f "<{{.Name}}>" walk\t\r')
  assert.match(shown, /<\/walking>/)
})

test('zsh completes in a terminal', async () => {
  const load = 'autoload -U compinit; compinit -D -u; source <(berth completion zsh)'
  const shown = await type(zsh, load, 'berth inspect -f "<{{.Name}}>" walk\t\r')
  assert.match(shown, /<\/walking>/)
})

test('fish completes commands, flags and names', async () => {
  const ask = async (line: string): Promise<string[]> => {
    const script = `berth completion fish | source; complete -C '${line}'`
    const { stdout } = await runCommand('fish', ['--no-config', '-c', script], { env })
    return stdout
      .trim()
      .split('\n')
      .map((found) => found.split('\t')[0] ?? '')
      .toSorted()
  }
  assert.deepEqual(await ask('berth container pa'), ['pause'])
  assert.deepEqual(await ask('berth stop wa'), ['walking'])
  assert.deepEqual(await ask('berth rmi busy'), ['busy:1.0'])
  assert.deepEqual(await ask('berth run --network ho'), ['host'])
  assert.deepEqual(await ask('berth ps --no'), ['--no-trunc'])
})
