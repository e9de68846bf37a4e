/** A daemon on another machine: `ssh://` hosts and contexts through a real sshd, with Berth's client and docker's. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type CommandResult, RunningCommand, runCommand } from '../../helpers/command.ts'
import { berthProgram, dockerProgram, noDockerCli, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { noSshd, SshServer } from '../../helpers/services/ssh-server.ts'
import { until } from '../../helpers/wait.ts'

describe('a daemon behind ssh', { skip: noSshd }, () => {
  let daemon: TestDaemon
  let server: SshServer
  let config: string

  before(async () => {
    config = mkdtempSync('/tmp/b-sshc-')
    daemon = await TestDaemon.start()
    await daemon.loadBusybox()
    server = await SshServer.start()
    server.offer('berth', `exec ${berthProgram} -H ${daemon.host} "$@"`)
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
    await daemon?.[Symbol.asyncDispose]()
    rmSync(config, { recursive: true, force: true })
  })

  const environment = (more: NodeJS.ProcessEnv = {}) => ({
    ...process.env,
    ...server.env,
    DOCKER_CONFIG: config,
    ...more,
  })
  const berth = (args: readonly string[], more?: NodeJS.ProcessEnv, input?: string): Promise<CommandResult> =>
    runCommand(berthProgram, args, { env: environment(more), ...(input === undefined ? {} : { input }) })

  async function ok(args: readonly string[], more?: NodeJS.ProcessEnv, input?: string): Promise<string> {
    const { code, stdout, stderr } = await berth(args, more, input)
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
    return stdout.trimEnd()
  }

  test('-H, DOCKER_HOST and contexts accept ssh hosts', async () => {
    const url = server.url()
    assert.equal(
      await ok(['-H', url, 'images', '-q', '--filter', 'reference=busybox']),
      await daemon.ok(['images', '-q']),
    )
    assert.match(await ok(['info', '-f', '{{.ID}}'], { DOCKER_HOST: url }), /^\S+$/)
    await ok(['context', 'create', 'far', '--docker', `host=${url}`])
    assert.equal(await ok(['context', 'inspect', '-f', '{{.Endpoints.docker.Host}}', 'far']), url)
    const run = [
      '--context',
      'far',
      'run',
      '--rm',
      '-i',
      '--network',
      'none',
      'busybox',
      'sh',
      '-c',
      'cat; echo e >&2; exit 3',
    ]
    const { code, stdout, stderr } = await berth(run, {}, 'through and back')
    assert.deepEqual([code, stdout, stderr], [3, 'through and back', 'e\n'])
  })

  test('long streams work in both directions, and each end is passed on', async () => {
    const url = server.url()
    const run = ['-H', url, 'run', '--rm', '-i', '--network', 'none', 'busybox']
    const bytes = 'x'.repeat(3_000_000)
    const sum = createHash('sha256').update(bytes).digest('hex')
    assert.equal(await ok([...run, 'sha256sum'], {}, bytes), `${sum}  -`)
    assert.equal((await ok([...run, 'sh', '-c', 'yes | head -c 3000000'])).length, 3_000_000 - 1)
    const client = new RunningCommand(
      berthProgram,
      ['-H', url, 'run', '--name', 'long', 'busybox', 'sh', '-c', 'echo up; sleep 1000'],
      { env: environment() },
    )
    await client.sees('up')
    client.kill('SIGKILL')
    await client.ended
    await daemon.ok(['rm', '-f', 'long'])
    await until(async () => !(await processes()).includes(`127.0.0.1 sh -c`), { what: 'the end of ssh' })
  })

  async function processes(): Promise<string> {
    return (await runCommand('ps', ['-eo', 'args'])).stdout
      .split('\n')
      .filter((line) => line.includes(String(server.port)))
      .join('\n')
  }

  test("a path names the socket on the other host; docker's command line is used if berth is missing there", async () => {
    server.offer('berth', `exec ${berthProgram} "$@"`)
    assert.match(await ok(['-H', server.url(daemon.socket), 'version', '-f', '{{.Server.Version}}']), /\d/)
    server.offer('berth')
    server.offer('docker', `exec ${dockerProgram ?? berthProgram} -H ${daemon.host} "$@"`)
    assert.match(await ok(['-H', server.url(), 'version', '-f', '{{.Server.Version}}']), /\d/)
    server.offer('docker', 'echo nothing here >&2; exit 9')
    const { code, stderr } = await berth(['-H', server.url(), 'ps'])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /command \[ssh .*dial-stdio'\] has exited with exit status 9, make sure .*stderr=nothing here\n$/,
    )
    server.offer('berth', `exec ${berthProgram} -H ${daemon.host} "$@"`)
  })

  test('an error of ssh is shown', async () => {
    const { code, stderr } = await berth(['-H', 'ssh://127.0.0.1:1', 'ps'])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^error during connect: command \[ssh -o ConnectTimeout=30 -T -p 1 -- 127\.0\.0\.1 .*exit status 255.*Connection refused/,
    )
    server.offer('berth', `exec ${berthProgram} -H unix://${join(config, 'none')} "$@"`)
    assert.match(
      (await berth(['-H', server.url(), 'ps'])).stderr,
      /stderr=Cannot connect to the Berth daemon at unix:\/\/\S+\/none/,
    )
    server.offer('berth', `exec ${berthProgram} -H ${daemon.host} "$@"`)
  })

  test("docker's client runs berth on the other host", { skip: noDockerCli }, async () => {
    server.offer('docker', `exec ${berthProgram} -H ${daemon.host} "$@"`)
    const docker = (args: readonly string[], input = '') =>
      runCommand(dockerProgram ?? '', args, { env: environment(), input })
    const { stdout, stderr } = await docker(
      ['-H', server.url(), 'run', '--rm', '-i', '--network', 'none', 'busybox', 'cat'],
      'hello',
    )
    assert.equal(stdout, 'hello', stderr)
    assert.equal((await docker(['--context', 'far', 'ps', '-q'])).code, 0)
  })
})
