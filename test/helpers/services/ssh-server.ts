/** The test's own sshd on 127.0.0.1, and an `ssh` that knows its key. The test chooses the PATH of its sessions. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { findProgram, runOrThrow } from '../command.ts'
import { freePort } from '../ports.ts'
import { until } from '../wait.ts'

/** For `test(…, { skip })`. */
export const noSshd = existsSync('/usr/sbin/sshd') && findProgram('ssh') !== undefined ? false : 'no openssh here'

export class SshServer implements AsyncDisposable {
  readonly port: number
  /** The environment with which a client reaches it by `ssh`. */
  readonly env: NodeJS.ProcessEnv
  readonly #root: string
  readonly #process: ChildProcess

  private constructor(root: string, port: number) {
    this.#root = root
    this.port = port
    this.env = { PATH: `${join(root, 'local')}:${process.env.PATH}` }
    const log = ['-E', join(root, 'log')]
    this.#process = spawn('/usr/sbin/sshd', ['-D', '-f', join(root, 'sshd_config'), ...log], { stdio: 'ignore' })
  }

  static async start(): Promise<SshServer> {
    const root = mkdtempSync('/tmp/b-ssh-')
    // sshd's directory for privilege separation, which its service would make.
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    for (const name of ['host', 'user'])
      await runOrThrow('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(root, name)])
    for (const name of ['local', 'remote']) mkdirSync(join(root, name))
    const port = await freePort()
    writeFileSync(
      join(root, 'sshd_config'),
      `Port ${port}
ListenAddress 127.0.0.1
HostKey ${root}/host
AuthorizedKeysFile ${root}/user.pub
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
PidFile none
SetEnv PATH=${root}/remote:/usr/bin:/bin
`,
    )
    writeFileSync(
      join(root, 'ssh_config'),
      `IdentityFile ${root}/user
IdentitiesOnly yes
UserKnownHostsFile ${root}/known_hosts
StrictHostKeyChecking accept-new
LogLevel ERROR
`,
    )
    const server = new SshServer(root, port)
    server.#write('local', 'ssh', `exec ${findProgram('ssh')} -F ${root}/ssh_config "$@"`)
    await until(() => existsSync(join(root, 'log')) && readFileSync(join(root, 'log'), 'utf8').includes('listening'), {
      what: 'sshd',
    })
    return server
  }

  /** The address for `-H`. */
  url(path = ''): string {
    return `ssh://${userInfo().username}@127.0.0.1:${this.port}${path}`
  }

  /** Puts a shell script on the PATH of sessions; without a script, removes the name. */
  offer(name: string, script?: string): void {
    if (script === undefined) rmSync(join(this.#root, 'remote', name), { force: true })
    else this.#write('remote', name, script)
  }

  #write(directory: 'local' | 'remote', name: string, script: string): void {
    const path = join(this.#root, directory, name)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.kill()
    await ended
    rmSync(this.#root, { recursive: true, force: true })
  }
}
