/** The daemon's whole configuration: defaults, overridden by daemon.json or flags, checked once and frozen. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { compareApiVersions, maxApiVersion, minApiVersion, oldestApiVersion } from '../api/index.ts'
import { invalidArgument, messageOf } from '../base/index.ts'
import { type BuilderConfig, builderConfig } from './builder-config.ts'
import { type ContainersConfig, containersConfig } from './containers-config.ts'
import { type NetworkConfig, networkConfig } from './network-config.ts'
import { checkFixedChoices } from './options/fixed-choices.ts'
import {
  mergeReloadable,
  mergeValues,
  parseConfigFile,
  parseFlags,
  parseSettings,
  type RawValues,
} from './options/parse-options.ts'
import { list, number, text } from './options/raw-values.ts'
import { type ListenAddress, parseHost } from './options/values.ts'
import { type RegistriesConfig, registriesConfig } from './registries-config.ts'
import { tcpAccess } from './tcp-access.ts'

/** Lines below this level are not logged. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'

/** TLS on TCP sockets: paths of PEM files, and whether clients must show a certificate signed by `caFile`. */
export interface TlsConfig {
  readonly verifyClients: boolean
  readonly caFile?: string
  readonly certFile: string
  readonly keyFile: string
}

/** All options of a daemon, checked and with their defaults. */
export interface DaemonConfig {
  readonly configFile: string
  readonly dataRoot: string
  readonly execRoot: string
  /** Distinguishes the bridges, tables and cgroups of this daemon from another's; '' for the default data root. */
  readonly instance: string
  readonly hosts: readonly ListenAddress[]
  readonly dockerSocket: string | undefined
  readonly group: string | undefined
  readonly pidfile: string
  readonly tls: TlsConfig | undefined
  /** The user explicitly allowed TCP without client certificates on any address; see `tcpAccess`. */
  readonly allowsOpenTcp: boolean
  readonly logLevel: LogLevel
  readonly trace: boolean
  readonly validateOnly: boolean
  readonly labels: readonly string[]
  readonly liveRestore: boolean
  /** Reported to clients; nothing else depends on it. */
  readonly experimental: boolean
  /** The user whose subordinate ids containers get (see `UserRemap`); undefined: containers use the host's ids. */
  readonly usernsRemap: string | undefined
  readonly selinux: boolean
  /** The oldest API version that is served. Some programs (skopeo, podman) still ask for 1.22. */
  readonly minApiVersion: string
  readonly shutdownTimeoutSeconds: number
  readonly registries: RegistriesConfig
  readonly builder: BuilderConfig
  readonly plugins: {
    /** Directories of plugins, in the order of the search. */
    readonly directories: readonly string[]
    /** How long to wait for a plugin that can't be reached. */
    readonly timeoutSeconds: number
  }
  readonly network: NetworkConfig
  readonly containers: ContainersConfig
}

const defaultConfigFile = '/etc/berth/daemon.json'
const defaultDataRoot = '/var/lib/berth'
const defaultExecRoot = '/run/berth'
/** The directories that Docker documents. */
const defaultPluginDirectories: readonly string[] = [
  '/run/docker/plugins',
  '/etc/docker/plugins',
  '/usr/lib/docker/plugins',
]
/** Directories that other programs and users of the host need. A root excludes them, so it can't be one of these. */
const sharedDirectories: ReadonlySet<string> = new Set([
  ...['/', '/bin', '/boot', '/dev', '/dev/shm', '/etc', '/home', '/lib', '/lib64', '/media', '/mnt', '/opt', '/proc'],
  ...[
    '/root',
    '/run',
    '/sbin',
    '/srv',
    '/sys',
    '/tmp',
    '/usr',
    '/var',
    '/var/cache',
    '/var/lib',
    '/var/log',
    '/var/run',
  ],
  ...['/var/spool', '/var/tmp'],
])
const logLevels: readonly string[] = ['debug', 'info', 'warn', 'error', 'fatal']

/** The configuration of an engine that is embedded in another program. `settings` has the keys of daemon.json; no
 *  file and no flags are read. Throws `invalidArgument` with the name of the wrong setting. */
export function engineConfig(settings: Readonly<Record<string, unknown>>): DaemonConfig {
  return resolveConfig(parseSettings(settings, 'settings'), '')
}

/** The configuration and its sources, from which it can be read again. */
export class ConfigSource {
  readonly #args: readonly string[]
  #raw: RawValues
  #config: DaemonConfig

  private constructor(args: readonly string[], raw: RawValues, config: DaemonConfig) {
    this.#args = args
    this.#raw = raw
    this.#config = config
  }

  /** Reads flags and file. Throws `invalidArgument` with the name of the wrong option. */
  static open(args: readonly string[]): ConfigSource {
    const { raw, path } = readValues(args)
    return new ConfigSource(args, raw, resolveConfig(raw, path))
  }

  /** The configuration in force. */
  get config(): DaemonConfig {
    return this.#config
  }

  /** Reads the file again, and calls `apply` with a configuration in which everything that can change without a
   *  restart is new. It is in force once `apply` succeeds. Resolves with the names of changed options that need a
   *  restart. Rejects as `open` throws and as `apply` rejects; the old configuration then stays in force. */
  async reload(apply: (config: DaemonConfig) => Promise<void>): Promise<readonly string[]> {
    const { raw: wanted, path } = readValues(this.#args)
    const { raw, kept } = mergeReloadable(this.#raw, wanted)
    const config = resolveConfig(raw, path)
    await apply(config)
    this.#config = config
    this.#raw = raw
    return kept
  }
}

function readValues(args: readonly string[]): { readonly raw: RawValues; readonly path: string } {
  const flags = parseFlags(args)
  const path = text(flags, 'configFile') ?? defaultConfigFile
  const file = readConfigFile(path, flags.configFile !== undefined)
  return { raw: mergeValues(flags, file, path), path }
}

function readConfigFile(path: string, required: boolean): RawValues {
  if (!existsSync(path)) {
    if (required) throw invalidArgument(`unable to configure the daemon with file ${path}: no such file`)
    return {}
  }
  try {
    return parseConfigFile(readFileSync(path, 'utf8'), path)
  } catch (cause) {
    throw invalidArgument(`unable to configure the daemon with file ${messageOf(cause)}`, { cause })
  }
}

function resolveConfig(raw: RawValues, configFile: string): DaemonConfig {
  const dataRoot = checkRoot('data-root', absolute(text(raw, 'dataRoot') ?? defaultDataRoot))
  const execRoot = checkRoot('exec-root', absolute(text(raw, 'execRoot') ?? defaultExecRoot))
  const logLevel = raw.debug === true ? 'debug' : (text(raw, 'logLevel') ?? 'info')
  if (!logLevels.includes(logLevel)) throw invalidArgument(`invalid logging level: ${logLevel}`)
  const hosts = list(raw, 'host')
  checkFixedChoices(raw)
  const tls = tlsConfig(raw)
  // The user must have said so explicitly: both options are unset by default.
  const allowsOpenTcp = (tls === undefined ? raw.tls : raw.tlsverify) === false
  return deepFreeze({
    configFile,
    dataRoot,
    execRoot,
    instance: instanceOf(dataRoot),
    hosts: listenAddresses(hosts.length === 0 ? ['unix:///run/berth.sock'] : hosts, tls, allowsOpenTcp),
    dockerSocket: text(raw, 'dockerSocket'),
    group: text(raw, 'group'),
    pidfile: absolute(text(raw, 'pidfile') ?? join(execRoot, 'berthd.pid')),
    tls,
    allowsOpenTcp,
    logLevel: logLevel as LogLevel,
    trace: raw.trace === true,
    validateOnly: raw.validate === true,
    labels: list(raw, 'label').map(checkLabel),
    liveRestore: raw.liveRestore !== false,
    experimental: raw.experimental === true,
    usernsRemap: text(raw, 'usernsRemap') || undefined,
    selinux: raw.selinuxEnabled === true,
    minApiVersion: checkMinApiVersion(
      text(raw, 'minApiVersion') ?? process.env.DOCKER_MIN_API_VERSION ?? minApiVersion,
    ),
    shutdownTimeoutSeconds: number(raw, 'shutdownTimeout') ?? 15,
    registries: registriesConfig(raw),
    builder: builderConfig(raw.builder),
    plugins: {
      directories: raw.pluginDir === undefined ? defaultPluginDirectories : list(raw, 'pluginDir'),
      timeoutSeconds: number(raw, 'pluginTimeout') ?? 30,
    },
    network: networkConfig(raw),
    containers: containersConfig(raw),
  })
}

/** The same configuration with other roots. */
export function withRoots(config: DaemonConfig, dataRoot: string, execRoot: string): DaemonConfig {
  return deepFreeze({ ...config, dataRoot, execRoot, instance: instanceOf(dataRoot) })
}

function instanceOf(dataRoot: string): string {
  return dataRoot === defaultDataRoot ? '' : createHash('sha256').update(dataRoot).digest('hex').slice(0, 6)
}

function checkMinApiVersion(version: string): string {
  if (
    !/^\d+\.\d+$/.test(version) ||
    compareApiVersions(version, oldestApiVersion) < 0 ||
    compareApiVersions(version, maxApiVersion) > 0
  ) {
    throw invalidArgument(
      `invalid minimum API version: ${version}: must be between ${oldestApiVersion} and ${maxApiVersion}`,
    )
  }
  return version
}

function tlsConfig(raw: RawValues): TlsConfig | undefined {
  const verifyClients = raw.tlsverify === true
  if (!verifyClients && raw.tls !== true) return undefined
  const certFile = text(raw, 'tlscert')
  const keyFile = text(raw, 'tlskey')
  if (certFile === undefined || keyFile === undefined) throw invalidArgument('TLS needs --tlscert and --tlskey')
  const caFile = text(raw, 'tlscacert')
  if (verifyClients && caFile === undefined) throw invalidArgument('--tlsverify needs --tlscacert')
  return { verifyClients, certFile, keyFile, ...(caFile === undefined ? {} : { caFile }) }
}

/** Parses the addresses, and refuses those that would open the API to the network by accident. */
function listenAddresses(
  hosts: readonly string[],
  tls: TlsConfig | undefined,
  allowsOpenTcp: boolean,
): ListenAddress[] {
  const addresses = hosts.map(parseHost)
  for (const address of addresses) if (address.kind === 'tcp') tcpAccess(address.host, { tls, allowsOpenTcp })
  return addresses
}

function checkLabel(label: string): string {
  if (!/^[^=]+=./.test(label)) throw invalidArgument(`bad attribute format: ${label}`)
  return label
}

function checkRoot(option: string, path: string): string {
  if (!sharedDirectories.has(resolve(path))) return path
  throw invalidArgument(
    `invalid ${option}: ${path} is a directory of the whole host, and the daemon closes its roots to other users: name a directory below it`,
  )
}

function absolute(path: string): string {
  return isAbsolute(path) ? path : resolve(path)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
