/** Contexts, stored where Docker's CLI keeps them: below `contexts` of the configuration directory.
 *
 *    meta/<sha256 of the name>/meta.json               name, description, endpoint
 *    tls/<sha256 of the name>/docker/{ca,cert,key}.pem
 *
 *  https://docs.docker.com/engine/manage-resources/contexts/ */
import { errnoOf, invalidArgument, messageOf, notFound } from '../../base/index.ts'

const fs = process.getBuiltinModule('node:fs')
const { join } = process.getBuiltinModule('node:path')

/** The context made of the environment and the defaults. It is not stored. */
export const defaultContextName = 'default'

/** The content of `meta.json`. */
export interface StoredContext {
  readonly Name: string
  readonly Metadata: { readonly Description?: string; readonly [key: string]: unknown }
  readonly Endpoints: { readonly docker?: DockerEndpoint }
}

/** How to reach the daemon of a context. */
export interface DockerEndpoint {
  readonly Host: string
  readonly SkipTLSVerify: boolean
}

/** The certificates of a context, by file name. */
export type ContextTls = Readonly<Partial<Record<TlsFileName, Buffer>>>
/** The file names of a context's certificates. */
export type TlsFileName = (typeof tlsFileNames)[number]
/** All of these names. */
export const tlsFileNames = ['ca.pem', 'cert.pem', 'key.pem'] as const

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/

/** Throws `invalidArgument` for a name that a stored context can't have. The texts are Docker's. */
export function checkContextName(name: string): void {
  if (name === '') throw invalidArgument('context name cannot be empty')
  if (name === defaultContextName) throw invalidArgument('"default" is a reserved context name')
  if (!namePattern.test(name)) {
    throw invalidArgument(
      `context name "${name}" is invalid, names are validated against regexp "${namePattern.source}"`,
    )
  }
}

/** Reads and writes the stored contexts of one configuration directory. */
export class ContextStore {
  readonly #root: string

  constructor(configDir: string) {
    this.#root = join(configDir, 'contexts')
  }

  /** The directories of a context's description and certificates, whether they exist or not. */
  paths(name: string): { readonly meta: string; readonly tls: string } {
    const id = process.getBuiltinModule('node:crypto').createHash('sha256').update(name).digest('hex')
    return { meta: join(this.#root, 'meta', id), tls: join(this.#root, 'tls', id) }
  }

  /** True when the context is stored. */
  has(name: string): boolean {
    return fs.existsSync(join(this.paths(name).meta, 'meta.json'))
  }

  /** Reads a context. Throws `notFound` with Docker's text, `invalidArgument` for a file that is not valid. */
  get(name: string): StoredContext {
    const path = join(this.paths(name).meta, 'meta.json')
    let text: string
    try {
      text = fs.readFileSync(path, 'utf8')
    } catch (error) {
      const reason = errnoOf(error) === 'ENOENT' ? `open ${path}: no such file or directory` : messageOf(error)
      throw notFound(`context "${name}": context not found: ${reason}`, { cause: error })
    }
    return parseContext(text, path)
  }

  /** All stored contexts, in no particular order. Throws when one can't be read, as docker does. */
  list(): readonly StoredContext[] {
    const directory = join(this.#root, 'meta')
    let ids: readonly string[]
    try {
      ids = fs.readdirSync(directory)
    } catch {
      return [] // The directory was never made.
    }
    return ids.flatMap((id) => {
      const path = join(directory, id, 'meta.json')
      return fs.existsSync(path) ? [parseContext(fs.readFileSync(path, 'utf8'), path)] : []
    })
  }

  /** Stores a context in place of the one before. With `tls`, replaces its certificates as well. */
  put(context: StoredContext, tls?: ContextTls): void {
    const paths = this.paths(context.Name)
    if (tls !== undefined) {
      fs.rmSync(paths.tls, { recursive: true, force: true })
      const files = Object.entries(tls)
      if (files.length > 0) fs.mkdirSync(join(paths.tls, 'docker'), { recursive: true, mode: 0o700 })
      for (const [name, content] of files) {
        if (content !== undefined) fs.writeFileSync(join(paths.tls, 'docker', name), content, { mode: 0o600 })
      }
    }
    fs.mkdirSync(paths.meta, { recursive: true, mode: 0o755 })
    const temporary = join(paths.meta, `meta.json.${process.pid}`)
    fs.writeFileSync(temporary, JSON.stringify(context))
    fs.renameSync(temporary, join(paths.meta, 'meta.json'))
  }

  /** Removes a context and its certificates, if it is stored. */
  remove(name: string): void {
    const { meta, tls } = this.paths(name)
    fs.rmSync(meta, { recursive: true, force: true })
    fs.rmSync(tls, { recursive: true, force: true })
  }

  /** The paths of the certificates that exist. */
  tlsFiles(name: string): Readonly<Partial<Record<TlsFileName, string>>> {
    const directory = join(this.paths(name).tls, 'docker')
    const there = tlsFileNames.filter((file) => fs.existsSync(join(directory, file)))
    return Object.fromEntries(there.map((file) => [file, join(directory, file)]))
  }
}

/** Parses `meta.json`. Throws `invalidArgument` with the name of the file. */
export function parseContext(text: string, path: string): StoredContext {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalidArgument(`parsing ${path}: ${messageOf(error)}`, { cause: error })
  }
  const { Name, Metadata, Endpoints } = (value ?? {}) as Partial<StoredContext>
  if (typeof Name !== 'string') throw invalidArgument(`parsing ${path}: it has no name`)
  const endpoint = Endpoints?.docker
  return {
    Name,
    Metadata: Metadata ?? {},
    Endpoints:
      endpoint === undefined
        ? {}
        : { docker: { Host: String(endpoint.Host ?? ''), SkipTLSVerify: endpoint.SkipTLSVerify === true } },
  }
}
