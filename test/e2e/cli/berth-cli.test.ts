/** Berth's command line against Berth's daemon: the same commands, flags and results as docker's. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type CommandOptions, type CommandResult, runCommand } from '../../helpers/command.ts'
import { berthProgram, dockerProgram, noDockerCli, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { freePort } from '../../helpers/ports.ts'

let daemon: TestDaemon
let port: number

before(async () => {
  daemon = await TestDaemon.start()
  port = await freePort()
  await daemon.loadBusybox()
  await daemon.ok([
    'run',
    '-d',
    '--name',
    'up',
    '--label',
    'a=b',
    '-p',
    `127.0.0.1:${port}:80`,
    'busybox',
    'sleep',
    '1000',
  ])
  await daemon.docker(['run', '--name', 'done', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 3'])
})
after(() => daemon?.[Symbol.asyncDispose]())

function berth(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  return daemon.berth(args, options)
}

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await berth(args)
  assert.equal(code, 0, `berth ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout.replace(/\n$/, '')
}

describe('commands', () => {
  test('runs a container through its life', async () => {
    const id = await ok('create', '--name', 'life', '-e', 'A=1', 'busybox', 'sh', '-c', 'echo $A; sleep 1000')
    assert.match(id, /^[0-9a-f]{64}$/)
    assert.equal(await ok('start', 'life'), 'life')
    assert.equal(await ok('exec', 'life', 'echo', 'in'), 'in')
    assert.equal(await ok('restart', '-t', '0', 'life'), 'life')
    assert.equal(await ok('rename', 'life', 'life2'), '')
    assert.match(await ok('top', 'life2'), /sleep 1000/)
    assert.equal(await ok('kill', 'life2'), 'life2')
    assert.equal(await ok('wait', 'life2'), '137')
    assert.equal(await ok('logs', '--tail', '1', 'life2'), '1')
    assert.equal(await ok('rm', 'life2'), 'life2')
  })

  test('run: streams, exit codes, input', async () => {
    const { code, stdout, stderr } = await berth(['run', '--rm', 'busybox', 'sh', '-c', 'echo o; echo e >&2; exit 9'])
    assert.deepEqual([code, stdout, stderr], [9, 'o\n', 'e\n'])
    const cat = await berth(['run', '--rm', '-i', 'busybox', 'cat'], { input: 'x\n'.repeat(50_000) })
    assert.equal(cat.stdout.length, 100_000)
    assert.equal((await berth(['run', '--rm', 'busybox', 'no-such'])).code, 127)
    assert.equal((await berth(['run', '--rm', 'busybox', '/etc/not-executable'])).code, 126)
    assert.equal((await berth(['run', '--rm', '--pull', 'never', 'no-such-image'])).code, 125)
  })

  test('run with many options', async () => {
    const envFile = join(daemon.root, 'env')
    writeFileSync(envFile, 'FILE=1\n')
    const out = await ok(
      'container', 'run', '--rm', '--env-file', envFile, '-w', '/tmp', '-u', 'app', '-h', 'box', '--read-only', '--tmpfs', '/scratch',
      '--memory', '64m', '--cpus', '0.5', '--pids-limit', '50', '--cap-drop', 'ALL', '--network', 'none', '--ulimit', 'nofile=100',
      'busybox', 'sh', '-c', 'echo $FILE $(pwd) $(id -un) $(hostname) $(ulimit -n)',
    ) // biome-ignore format: a command line
    assert.equal(out, '1 /tmp app box 100')
  })

  test('logs keeps stdout and stderr apart', async () => {
    const { stdout, stderr } = await berth(['logs', 'done'])
    assert.deepEqual([stdout, stderr], ['out\n', 'err\n'])
  })

  test('port, inspect, images, version, info, events', async () => {
    assert.equal(await ok('port', 'up'), `80/tcp -> 127.0.0.1:${port}`)
    assert.equal(await ok('inspect', '--format', '{{.Name}} {{.State.Status}}', 'up'), '/up running')
    assert.equal(JSON.parse(await ok('inspect', 'up'))[0].Name, '/up')
    assert.match(await ok('images'), /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\nbusybox +latest/)
    assert.match(await ok('version'), /API version: +1\.51/)
    assert.match(await ok('info'), /Containers: 2/)
    const now = String(Math.ceil(Date.now() / 1000) + 1)
    assert.match(
      await ok('events', '--since', '0', '--until', now, '--filter', 'event=die'),
      /container die [0-9a-f]{64} \(.*exitCode=3/,
    )
  })

  test("errors: one line, a hint, and docker's exit code", async () => {
    const flag = await berth(['run', '--no-such-flag'])
    assert.equal(flag.code, 125)
    assert.match(flag.stderr, /unknown flag: --no-such-flag/)
    assert.match(flag.stderr, /berth run --help/)
    const command = await berth(['no-such-command'])
    assert.notEqual(command.code, 0)
    assert.match(command.stderr, /no-such-command/)
    assert.match((await berth(['rm', 'no-such'])).stderr, /No such container: no-such/)
    const nobody = await runCommand(berthProgram, ['-H', `unix://${daemon.root}/nobody.sock`, 'ps'])
    assert.equal(nobody.code, 1)
    assert.match(nobody.stderr, /Cannot connect to the (Docker|Berth) daemon at unix:/i)
  })

  test('every command has --help', async () => {
    const commands = ['run', 'create', 'start', 'stop', 'restart', 'kill', 'rm', 'ps', 'logs', 'attach', 'exec', 'inspect', 'port', 'top', 'wait', 'rename', 'pull', 'images', 'rmi', 'tag', 'load', 'import', 'version', 'info', 'events'] // biome-ignore format: a list
    await Promise.all(
      commands.map(async (command) => {
        assert.match(await ok(command, '--help'), /Usage: +berth /, command)
      }),
    )
    assert.match(await ok('--help'), /Usage: +berth/)
    assert.match(await ok('container', '--help'), /berth container/)
  })

  test('DOCKER_HOST selects the daemon', async () => {
    const { stdout } = await runCommand(berthProgram, ['ps', '--format', '{{.Names}}'], {
      env: { DOCKER_HOST: daemon.host },
    })
    assert.equal(stdout, 'up\n')
  })
})

describe("the output is the same as docker's", { skip: noDockerCli }, () => {
  const commands: string[][] = [
    [
      'ps',
      '-a',
      '--no-trunc',
      '--format',
      'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.Names}}\t{{.Ports}}\t{{.Labels}}',
    ],
    ['ps', '-aq'],
    ['ps', '-a', '--format', '{{json .Names}} {{.State}}'],
    ['ps', '--filter', 'label=a=b', '--format', '{{.Names}}'],
    ['images'],
    ['images', '--no-trunc', '-q'],
    ['images', '--format', '{{.Repository}}:{{.Tag}} {{.Size}}'],
    ['inspect', 'up'],
    ['inspect', '-f', '{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}{{len .Mounts}}', 'up'],
    ['inspect', '-f', '{{json .HostConfig.PortBindings}}', 'up'],
    ['port', 'up'],
    ['port', 'up', '80'],
    ['logs', '-t', 'done'],
    ['version', '--format', '{{.Server.Version}} {{.Server.APIVersion}}'],
    ['info', '--format', '{{.ContainersRunning}} {{.Images}} {{.Driver}}'],
    ['rm', 'no-such'],
    ['inspect', 'no-such'],
    ['rename', 'up', 'done'],
  ]
  for (const command of commands) {
    test(command.join(' '), async () => {
      const [own, theirs] = await Promise.all([
        berth(command),
        runCommand(dockerProgram ?? '', ['-H', daemon.host, ...command]),
      ])
      assert.equal(own.stdout, theirs.stdout)
      assert.equal(own.code, theirs.code)
    })
  }
})

test('berth --version loads only its own bundle', async () => {
  // This makes it fast. `npm run bench` measures how fast; tests do not depend on timings.
  await runCommand(berthProgram, ['--version'])
  const traced = await runCommand('strace', ['-f', '-e', 'trace=openat', berthProgram, '--version'])
  assert.equal(traced.code, 0, traced.stderr)
  const sources = traced.stderr.split('\n').filter((line) => /\.ts"/.test(line) && !/ENOENT/.test(line))
  assert.deepEqual(sources, [])
})
