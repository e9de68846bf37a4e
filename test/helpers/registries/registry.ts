/** A real third-party registry on loopback (Debian's docker-registry), filled by skopeo. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { RunningCommand, runOrThrow } from '../command.ts'
import { freePort } from '../ports.ts'
import { until } from '../wait.ts'

export interface RegistryOptions {
  /** Requires this user name and password (Basic). */
  readonly htpasswd?: string
  /** Requires tokens of this service; `certificate` (PEM) is that of the signing key. */
  readonly tokens?: {
    readonly realm: string
    readonly service: string
    readonly issuer: string
    readonly certificate: string
  }
  /** Uses TLS; `clients` (PEM) is the authority that must have issued the clients' certificates. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clients?: string }
}

/** Whether a process listens there. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

/** A registry process with its storage in a temporary directory. */
export class TestRegistry implements AsyncDisposable {
  readonly #process: RunningCommand
  readonly #root: string
  /** `127.0.0.1:PORT`, the first part of its references. */
  readonly name: string
  readonly storage: string

  private constructor(process: RunningCommand, root: string, name: string) {
    this.#process = process
    this.#root = root
    this.name = name
    this.storage = join(root, 'storage')
  }

  static async start({ htpasswd, tokens, tls }: RegistryOptions = {}): Promise<TestRegistry> {
    const root = mkdtempSync('/tmp/b-reg-')
    const port = await freePort()
    const auth =
      htpasswd === undefined ? tokenAuth(root, tokens) : `auth: {htpasswd: {realm: test, path: ${root}/htpasswd}}\n`
    if (htpasswd !== undefined) writeFileSync(join(root, 'htpasswd'), htpasswd)
    writeFileSync(
      join(root, 'config.yml'),
      `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n${auth}storage: {filesystem: {rootdirectory: ${root}/storage}, delete: {enabled: true}}\nhttp: {addr: '127.0.0.1:${port}'${tlsSettings(root, tls)}}\n`,
    )
    const process = new RunningCommand('docker-registry', ['serve', join(root, 'config.yml')])
    const registry = new TestRegistry(process, root, `127.0.0.1:${port}`)
    try {
      await until(() => answers(port), { what: 'the registry' })
    } catch (error) {
      await registry[Symbol.asyncDispose]()
      throw new Error(`docker-registry did not start:\n${process.stderr}`, { cause: error })
    }
    return registry
  }

  /** Copies a docker-archive into `repository`; returns the full reference. */
  async push(archive: string, repository: string, flags: readonly string[] = []): Promise<string> {
    const source = ['--insecure-policy', 'copy', '--quiet', '--dest-tls-verify=false', ...flags]
    await runOrThrow('skopeo', [...source, `docker-archive:${archive}`, `docker://${this.name}/${repository}`])
    return `${this.name}/${repository}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#process.ended
    rmSync(this.#root, { recursive: true, force: true })
  }
}

function tlsSettings(root: string, tls: RegistryOptions['tls']): string {
  if (tls === undefined) return ''
  const files = { certificate: tls.certificate, key: tls.key, clients: tls.clients }
  for (const [name, pem] of Object.entries(files)) if (pem !== undefined) writeFileSync(join(root, `${name}.pem`), pem)
  const clients = tls.clients === undefined ? '' : `, clientcas: [${root}/clients.pem]`
  return `, tls: {certificate: ${root}/certificate.pem, key: ${root}/key.pem${clients}}`
}

function tokenAuth(root: string, tokens: RegistryOptions['tokens']): string {
  if (tokens === undefined) return ''
  const { certificate, ...settings } = tokens
  writeFileSync(join(root, 'tokens.crt'), certificate)
  return `auth: {token: ${JSON.stringify({ ...settings, rootcertbundle: `${root}/tokens.crt` })}}\n`
}
