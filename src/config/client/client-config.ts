/** Settings of Berth's command line. Flags win over the environment, and that over the client's configuration file,
 *  which has Docker's form (`~/.docker/config.json`): a setup for Docker works for Berth. */
import { errnoOf, invalidArgument, messageOf } from '../../base/index.ts'
import { ContextStore, defaultContextName } from './context-store.ts'

// Not imported: an ES import of node:fs loads much that this file does not use, and every command would wait for it.
const { readFileSync } = process.getBuiltinModule('node:fs')
const { join } = process.getBuiltinModule('node:path')

/** The address of the daemon when no flag, variable or context names one. */
export const defaultHost = 'unix:///run/berth.sock'

/** Flags that precede the command. */
export interface ClientFlags {
  readonly configDir?: string | undefined
  readonly hosts?: readonly string[] | undefined
  readonly context?: string | undefined
  readonly tls?: boolean | undefined
  readonly tlsVerify?: boolean | undefined
  readonly tlsCaPath?: string | undefined
  readonly tlsCertificatePath?: string | undefined
  readonly tlsKeyPath?: string | undefined
}

/** TLS settings of the connection to the daemon: paths of PEM files, and whether to check the daemon's certificate. */
export interface ClientTls {
  readonly caPath?: string
  readonly certificatePath?: string
  readonly keyPath?: string
  readonly verify: boolean
}

/** The daemon to connect to. */
export interface ChosenDaemon {
  readonly host: string
  /** True if the user did not choose a host: a daemon may then be started when none listens. */
  readonly isDefaultHost: boolean
  readonly tls: ClientTls | undefined
}

/** The settings that commands use. */
export interface ClientSettings {
  /** Finds the daemon's address. Throws `notFound` when the context in use does not exist. */
  readonly daemon: () => ChosenDaemon
  /** The name of the context in use; `default` if a flag or the environment gives the host. */
  readonly contextName: () => string
  /** The value of `DOCKER_API_VERSION`. */
  readonly apiVersion: string | undefined
  /** The value of `DOCKER_DEFAULT_PLATFORM`: the platform of images where no flag names one. */
  readonly defaultPlatform: string
  readonly configDir: string
  /** Gives the content of the file, which is read on the first call. */
  readonly file: () => ClientFile
  /** The environment, for `-e NAME` without a value. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The keys of `config.json` that Berth uses. */
export interface ClientFile {
  readonly currentContext?: string
  readonly detachKeys?: string
  readonly psFormat?: string
  readonly statsFormat?: string
  readonly imagesFormat?: string
  readonly networksFormat?: string
  readonly volumesFormat?: string
  /** Filters (`label=x`, `until=1h`) that are added to every prune. */
  readonly pruneFilters?: readonly string[]
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>
  /** The name of the program that keeps credentials; `credHelpers` has those of single registries. */
  readonly credsStore?: string
  readonly credHelpers?: Readonly<Record<string, string>>
  /** Directories with plugins of the command line, searched before the usual ones. */
  readonly cliPluginsExtraDirs?: readonly string[]
  /** Aliases of commands. Docker allows one for `builder` only. */
  readonly aliases?: Readonly<Record<string, string>>
  readonly HttpHeaders?: Readonly<Record<string, string>>
  /** The proxies that builds and containers get, by the daemon's address or `default`. */
  readonly proxies?: Readonly<Record<string, ClientProxies>>
}

/** Proxies for programs in builds and containers. https://docs.docker.com/engine/cli/proxy/ */
export interface ClientProxies {
  readonly httpProxy?: string
  readonly httpsProxy?: string
  readonly ftpProxy?: string
  readonly noProxy?: string
  readonly allProxy?: string
}

/** Combines flags, environment and file. Throws `invalidArgument` when flags contradict each other. At once, it only
 *  checks which certificates exist; the file is read later. Calls `warn` once if the file is not valid: it then
 *  counts as empty, as in docker. */
export function loadClientSettings(
  flags: ClientFlags,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  warn: (message: string) => void = () => undefined,
): ClientSettings {
  const hosts = flags.hosts ?? []
  if (hosts.length > 1) {
    throw invalidArgument('Failed to initialize: unable to resolve docker endpoint: Specify only one -H')
  }
  if (hosts.length > 0 && (flags.context ?? '') !== '') {
    throw invalidArgument('conflicting options: cannot specify both --host and --context')
  }
  const ofEnvironment = environment.BERTH_HOST || environment.DOCKER_HOST || ''
  const chosen = hosts[0] || ofEnvironment
  const configDir =
    flags.configDir || environment.DOCKER_CONFIG || join(process.getBuiltinModule('node:os').homedir(), '.docker')
  let file: ClientFile | undefined
  const readFile = (): ClientFile => (file ??= readClientFile(join(configDir, 'config.json'), warn))
  const contextName = (): string => {
    if (flags.context) return flags.context
    if (chosen !== '') return defaultContextName
    return environment.DOCKER_CONTEXT || readFile().currentContext || defaultContextName
  }
  return {
    contextName,
    daemon: () => {
      const name = contextName()
      if (name !== defaultContextName) return daemonOfContext(new ContextStore(configDir), name)
      return {
        host: chosen || defaultHost,
        isDefaultHost: chosen === '',
        tls: tlsSettings(flags, environment, configDir),
      }
    },
    apiVersion: environment.DOCKER_API_VERSION?.replace(/^v/, '') || undefined,
    defaultPlatform: environment.DOCKER_DEFAULT_PLATFORM ?? '',
    configDir,
    file: readFile,
    environment,
  }
}

function daemonOfContext(store: ContextStore, name: string): ChosenDaemon {
  const { docker } = store.get(name).Endpoints
  if (docker === undefined || docker.Host === '') {
    throw invalidArgument(`context "${name}": cannot find docker endpoint in context`)
  }
  const files = store.tlsFiles(name)
  const hasFiles = Object.keys(files).length > 0
  const tls: ClientTls = {
    verify: !docker.SkipTLSVerify,
    ...(files['ca.pem'] === undefined ? {} : { caPath: files['ca.pem'] }),
    ...(files['cert.pem'] === undefined ? {} : { certificatePath: files['cert.pem'] }),
    ...(files['key.pem'] === undefined ? {} : { keyPath: files['key.pem'] }),
  }
  return { host: docker.Host, isDefaultHost: false, tls: hasFiles || docker.SkipTLSVerify ? tls : undefined }
}

function tlsSettings(
  flags: ClientFlags,
  environment: Readonly<Record<string, string | undefined>>,
  configDir: string,
): ClientTls | undefined {
  const verify = flags.tlsVerify ?? (environment.DOCKER_TLS_VERIFY ?? '') !== ''
  // `--tlsverify=false` also turns TLS on, without a check of the daemon's certificate.
  const enabled = flags.tlsVerify !== undefined || verify || flags.tls === true || (environment.DOCKER_TLS ?? '') !== ''
  if (!enabled) return undefined
  const directory = environment.DOCKER_CERT_PATH || configDir
  // Certificates at their usual places are optional; a certificate that the user named is not.
  const usual = (name: string): string | undefined => {
    const path = join(directory, name)
    return exists(path) ? path : undefined
  }
  const caPath = flags.tlsCaPath || usual('ca.pem')
  const certificatePath = flags.tlsCertificatePath || usual('cert.pem')
  const keyPath = flags.tlsKeyPath || usual('key.pem')
  return {
    verify,
    ...(caPath === undefined ? {} : { caPath }),
    ...(certificatePath === undefined ? {} : { certificatePath }),
    ...(keyPath === undefined ? {} : { keyPath }),
  }
}

function exists(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}

function readClientFile(path: string, warn: (message: string) => void): ClientFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return {}
    throw invalidArgument(`cannot read ${path}: ${messageOf(error)}`, { cause: error })
  }
  try {
    const parsed: unknown = text === '' ? {} : JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as ClientFile
    warn(`WARNING: Error parsing config file (${path}): not a JSON object`)
  } catch (error) {
    warn(`WARNING: Error parsing config file (${path}): ${messageOf(error)}`)
  }
  return {}
}
