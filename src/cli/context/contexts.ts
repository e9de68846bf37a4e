/** Shared by the context commands: all contexts including the default one, the one in use, and the flags that describe
 *  one. */
import { invalidArgument, messageOf } from '../../base/index.ts'
import { parseEndpoint } from '../../client/index.ts'
import {
  type ClientSettings,
  ContextStore,
  type ContextTls,
  type DockerEndpoint,
  defaultContextName,
  defaultHost,
  editClientFile,
  type StoredContext,
  type TlsFileName,
} from '../../config/client/index.ts'
import type { Flag } from '../flags/flag.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import { fs, posix } from '../terminal/builtins.ts'

/** Docker's description of the default context. */
export const defaultDescription = 'Current DOCKER_HOST based configuration'

/** The store of the contexts in the configuration directory. */
export function storeOf({ configDir }: Pick<ClientSettings, 'configDir'>): ContextStore {
  return new ContextStore(configDir)
}

/** Gives a stored context, or the default one. Throws `notFound`. */
export function findContext(settings: ClientSettings, name: string): StoredContext {
  return name === defaultContextName ? defaultContext(settings) : storeOf(settings).get(name)
}

/** The context made of the environment: its host is DOCKER_HOST or Berth's own. */
export function defaultContext({ environment }: ClientSettings): StoredContext {
  const host = environment.BERTH_HOST || environment.DOCKER_HOST || defaultHost
  return { Name: defaultContextName, Metadata: {}, Endpoints: { docker: { Host: host, SkipTLSVerify: false } } }
}

/** Writes the name into the configuration. For the default context, removes the entry. */
export function setCurrentContext({ configDir, file }: ClientSettings, name: string): void {
  const wanted = name === defaultContextName ? undefined : name
  if ((file().currentContext || undefined) === wanted) return
  editClientFile(posix.join(configDir, 'config.json'), (document) => {
    if (wanted === undefined) delete document.currentContext
    else document.currentContext = wanted
  })
}

/** The flags of `create` and `update`. */
export const contextFlags: readonly Flag[] = [
  { name: 'description', type: 'string', help: 'Description of the context' },
  {
    name: 'docker',
    type: 'stringToString',
    help: 'The daemon: host=ADDRESS, ca=FILE, cert=FILE, key=FILE, skip-tls-verify=true, from=CONTEXT',
    shownDefault: '[]',
    check: checkPairs,
  },
]

function checkPairs(value: string): string {
  for (const pair of value.split(',')) {
    if (!pair.includes('=')) throw invalidArgument(`${pair} must be formatted as key=value`)
  }
  return value
}

const fileKeys: Readonly<Record<string, TlsFileName>> = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' }
const knownKeys = new Set(['from', 'host', 'skip-tls-verify', ...Object.keys(fileKeys)])

/** A new endpoint for a context, with its certificates. */
export interface EndpointChange {
  readonly endpoint: DockerEndpoint
  readonly tls: ContextTls
}

/** The endpoint that `--docker` describes; undefined without the flag. Throws with Docker's text. */
export function endpointOfFlags(settings: ClientSettings, flags: FlagValues): EndpointChange | undefined {
  if (!flags.has('docker')) return undefined
  try {
    return parseEndpointFlags(settings, flags)
  } catch (error) {
    throw invalidArgument(`unable to create docker endpoint config: ${messageOf(error)}`, { cause: error })
  }
}

function parseEndpointFlags(settings: ClientSettings, flags: FlagValues): EndpointChange {
  const pairs = flags.list('docker').flatMap((value) => value.split(','))
  const values = new Map<string, string>()
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const key = pair.slice(0, equals).trim().toLowerCase()
    if (!knownKeys.has(key)) throw invalidArgument(`unrecognized config key: ${key}`)
    values.set(key, pair.slice(equals + 1))
  }
  const from = values.get('from')
  if (from !== undefined) return copyEndpoint(settings, from)
  const tls: Partial<Record<TlsFileName, Buffer>> = {}
  for (const [key, file] of Object.entries(fileKeys)) {
    const path = values.get(key)
    if (path !== undefined && path !== '') tls[file] = readCertificate(path)
  }
  const skip = values.get('skip-tls-verify') ?? 'false'
  if (!['true', 'false', '1', '0', 't', 'f', 'TRUE', 'FALSE', 'True', 'False', 'T', 'F'].includes(skip)) {
    throw invalidArgument(`skip-tls-verify: strconv.ParseBool: parsing ${JSON.stringify(skip)}: invalid syntax`)
  }
  const host = values.get('host') ?? ''
  if (host.startsWith('ssh://')) checkSshHost(host)
  return { endpoint: { Host: host, SkipTLSVerify: /^[1tT]/.test(skip) }, tls }
}

function checkSshHost(host: string): void {
  try {
    parseEndpoint(host)
  } catch (error) {
    throw invalidArgument(`invalid docker endpoint options: ${messageOf(error)}`, { cause: error })
  }
}

/** Copies the endpoint and the certificates of another context. */
export function copyEndpoint(settings: ClientSettings, name: string): EndpointChange {
  const { docker } = findContext(settings, name).Endpoints
  return { endpoint: docker ?? { Host: '', SkipTLSVerify: false }, tls: storedTls(settings, name) }
}

/** Reads the certificates of a context. */
export function storedTls(settings: ClientSettings, name: string): ContextTls {
  if (name === defaultContextName) return {}
  const files = Object.entries(storeOf(settings).tlsFiles(name))
  return Object.fromEntries(files.map(([file, path]) => [file, fs.readFileSync(path ?? '')]))
}

function readCertificate(path: string): Buffer {
  let content: Buffer
  try {
    content = fs.readFileSync(path)
  } catch (error) {
    const reason = messageOf(error).includes('ENOENT') ? 'no such file or directory' : messageOf(error)
    throw invalidArgument(`open ${path}: ${reason}`, { cause: error })
  }
  if (content.includes('-----BEGIN')) return content
  throw invalidArgument(`invalid docker endpoint options: failed to retrieve context tls info: ${path} seems invalid`)
}
