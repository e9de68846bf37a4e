/** Credentials of registries, stored where Docker's clients keep them: in `config.json`, or by a program
 *  `docker-credential-NAME` that the file names for all registries (`credsStore`) or for one (`credHelpers`).
 *  https://docs.docker.com/reference/cli/docker/login/#credential-stores */
import { BerthError, errnoOf, internal, messageOf } from '../../base/index.ts'
import type { ClientSettings } from './client-config.ts'
import { editClientFile } from './edit-client-file.ts'

const { join } = process.getBuiltinModule('node:path')

/** A user's credentials for one registry. */
export interface StoredCredentials {
  readonly username: string
  readonly password: string
  /** A token that replaces the password. */
  readonly identityToken: string
}

/** Runs a program from the PATH to its end. Rejects when it can't be started. */
export type RunProgram = (
  program: string,
  args: readonly string[],
  input: string,
) => Promise<{ readonly code: number; readonly stdout: string }>

/** The server name of Docker Hub's credentials. */
export const hubServer = 'https://index.docker.io/v1/'

/** The user name that helpers use when the secret is an identity token. */
const tokenUser = '<token>'
const notFoundText = 'credentials not found in native keychain'
const nobody: StoredCredentials = { username: '', password: '', identityToken: '' }

/** Reduces a server's address to its host: `https://reg:5000/v2/` → `reg:5000`. */
export function hostOfServer(server: string): string {
  return server.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
}

/** Finds, stores and erases credentials. A server is a host, or `hubServer`. */
export class Credentials {
  readonly #settings: Pick<ClientSettings, 'configDir' | 'file'>
  readonly #runProgram: RunProgram

  constructor(settings: Pick<ClientSettings, 'configDir' | 'file'>, runProgram: RunProgram) {
    this.#settings = settings
    this.#runProgram = runProgram
  }

  /** The path of the configuration file. */
  get path(): string {
    return join(this.#settings.configDir, 'config.json')
  }

  /** True when the server's credentials are stored in the file itself, unencrypted. */
  isPlain(server: string): boolean {
    return this.#helperFor(server) === undefined
  }

  /** The stored credentials; all members are empty when there are none. Throws `internal` when a helper fails. */
  async get(server: string): Promise<StoredCredentials> {
    const helper = this.#helperFor(server)
    return helper === undefined ? this.#fromFile(server) : await this.#fromHelper(helper, server)
  }

  /** All servers with credentials, from the file and from the helper `credsStore`. A helper that fails counts as
   *  empty. */
  async servers(): Promise<readonly string[]> {
    const { auths, credHelpers, credsStore } = this.#settings.file()
    const found = new Set([...Object.keys(objectOf(auths)), ...Object.keys(objectOf(credHelpers))])
    if (typeof credsStore === 'string' && credsStore !== '') {
      try {
        const listed = JSON.parse((await this.#call(credsStore, 'list', '', 'listing')) ?? '{}') as unknown
        for (const server of Object.keys(objectOf(listed))) found.add(server)
      } catch {
        // The file still lists the servers that the user logged in to.
      }
    }
    return [...found]
  }

  /** Stores credentials in place of those before. */
  async store(server: string, credentials: StoredCredentials): Promise<void> {
    const helper = this.#helperFor(server)
    const { username, password, identityToken } = credentials
    if (helper !== undefined) {
      const [Username, Secret] = identityToken === '' ? [username, password] : [tokenUser, identityToken]
      await this.#call(helper, 'store', JSON.stringify({ ServerURL: server, Username, Secret }), 'storing')
    }
    const auth = Buffer.from(`${username}:${password}`).toString('base64')
    // With a helper, the file only lists the server.
    const entry =
      helper !== undefined ? {} : { auth, ...(identityToken === '' ? {} : { identitytoken: identityToken }) }
    editClientFile(this.path, (document) => {
      document.auths = { ...objectOf(document.auths), [server]: entry }
    })
  }

  /** Removes the credentials of a server, if there are any. */
  async erase(server: string): Promise<void> {
    const helper = this.#helperFor(server)
    if (helper !== undefined) await this.#call(helper, 'erase', server, 'erasing')
    // Old clients wrote a whole address in place of the host, and `get` finds these too.
    const isOfServer = (key: string) => key === server || hostOfServer(key) === server
    if (!Object.keys(objectOf(this.#settings.file().auths)).some(isOfServer)) return
    editClientFile(this.path, (document) => {
      const others = Object.entries(objectOf(document.auths)).filter(([key]) => !isOfServer(key))
      document.auths = Object.fromEntries(others)
    })
  }

  #helperFor(server: string): string | undefined {
    const { credHelpers, credsStore } = this.#settings.file()
    const named = objectOf(credHelpers)[server] ?? credsStore
    return typeof named === 'string' && named !== '' ? named : undefined
  }

  #fromFile(server: string): StoredCredentials {
    const auths = objectOf(this.#settings.file().auths)
    const key = Object.hasOwn(auths, server) ? server : Object.keys(auths).find((one) => hostOfServer(one) === server)
    if (key === undefined) return nobody
    const { auth, identitytoken, username, password } = objectOf(auths[key])
    const [user = '', ...secret] = Buffer.from(textOf(auth), 'base64').toString('utf8').split(':')
    return {
      username: user || textOf(username),
      // Some old clients wrote a zero byte behind the password.
      password: secret.join(':').replace(/\0+$/, '') || textOf(password),
      identityToken: textOf(identitytoken),
    }
  }

  async #fromHelper(helper: string, server: string): Promise<StoredCredentials> {
    const output = await this.#call(helper, 'get', server, 'getting')
    if (output === undefined) return nobody
    let value: unknown
    try {
      value = JSON.parse(output)
    } catch (cause) {
      throw internal(`docker-credential-${helper} answered something that is not JSON`, { cause })
    }
    const { Username, Secret } = objectOf(value)
    const secret = textOf(Secret)
    if (Username === tokenUser) return { username: '', password: '', identityToken: secret }
    return { username: textOf(Username), password: secret, identityToken: '' }
  }

  /** Calls a helper and gives its output; undefined when it has no such credentials. */
  async #call(helper: string, action: string, input: string, doing: string): Promise<string | undefined> {
    const program = `docker-credential-${helper}`
    const fail = (reason: string, said: string, cause?: unknown) =>
      new BerthError('internal', `error ${doing} credentials - err: ${reason}, out: \`${said}\``, { cause })
    let result: Awaited<ReturnType<RunProgram>>
    try {
      result = await this.#runProgram(program, [action], input)
    } catch (error) {
      const isMissing = errnoOf(error) === 'ENOENT'
      const reason = isMissing ? `exec: "${program}": executable file not found in $PATH` : messageOf(error)
      throw fail(reason, '', error)
    }
    const said = result.stdout.trim()
    if (result.code === 0) return result.stdout
    if (said === notFoundText) return undefined
    throw fail(`exit status ${result.code}`, said)
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
