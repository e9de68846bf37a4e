/** The daemon's whole configuration: defaults ← daemon.json ← flags, checked once and frozen. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { isAbsolute, join, resolve } from 'node:path'
import { compareApiVersions, maxApiVersion, minApiVersion, oldestApiVersion } from '../api/index.ts'
import { invalidArgument, messageOf } from '../base/index.ts'
import { type BuilderConfig, builderConfig } from './builder-config.ts'
import { type CgroupsConfig, cgroupsConfig } from './cgroups-config.ts'
import type { DaemonOption } from './daemon-option.ts'
import { type DaemonOptionName, daemonOptions } from './daemon-options.ts'
import { checkFixedChoices } from './fixed-choices.ts'
import { type NetworkOptions, networkOptions } from './network-config.ts'
import {
  mergeReloadable,
  mergeValues,
  parseConfigFile,
  parseFlags,
  parseSettings,
  type RawValues,
} from './parse-options.ts'
import { type RegistriesConfig, registriesConfig } from './registries-config.ts'
import { type RuntimeConfig, runtimesConfig } from './runtimes-config.ts'
import { seccompProfile } from './security-config.ts'
import { writableLayerBytes } from './storage-config.ts'
import { type ListenAddress, parseBytes, parseHost, parseUlimit, type UlimitDefault } from './values.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export interface TlsConfig {
  readonly verifyClients: boolean
  readonly caFile?: string
  readonly certFile: string
  readonly keyFile: string
}

export interface DaemonConfig {
  readonly configFile: string
  readonly dataRoot: string
  readonly execRoot: string
  /** Tells this daemon's bridges, tables and cgroups from another daemon's on the host; '' for the default data root. */
  readonly instance: string
  readonly hosts: readonly ListenAddress[]
  readonly dockerSocket: string | undefined
  readonly group: string | undefined
  readonly pidfile: string
  readonly tls: TlsConfig | undefined
  readonly logLevel: LogLevel
  readonly trace: boolean
  readonly validateOnly: boolean
  readonly labels: readonly string[]
  readonly liveRestore: boolean
  /** What clients are told; nothing depends on it. */
  readonly experimental: boolean
  /** Whose subordinate ids containers get (see `UserRemap`); undefined: containers use the host's ids. */
  readonly usernsRemap: string | undefined
  readonly selinux: boolean
  /** Oldest API version that is answered; some programs (skopeo, podman) still ask for 1.22. */
  readonly minApiVersion: string
  readonly shutdownTimeoutSeconds: number
  readonly registries: RegistriesConfig
  readonly builder: BuilderConfig
  readonly plugins: {
    /** Searched in this order. */
    readonly directories: readonly string[]
    /** How long a plugin that can't be reached is waited for. */
    readonly timeoutSeconds: number
  }
  readonly network: NetworkOptions & {
    /** `host-rules`: the host's own rules for its input say who reaches published ports. */
    readonly published: 'open' | 'host-rules'
    readonly dns: readonly string[]
    readonly dnsOptions: readonly string[]
    readonly dnsSearch: readonly string[]
    /** What `host-gateway` stands for; none: the gateway of the container's network. */
    readonly hostGatewayIps: readonly string[]
  }
  readonly containers: CgroupsConfig & {
    readonly defaultRuntime: string
    readonly runtimes: Readonly<Record<string, RuntimeConfig>>
    /** A profile's text, `builtin` or `unconfined`. */
    readonly seccompProfile: string
    readonly ulimits: readonly UlimitDefault[]
    readonly shmSizeBytes: number
    /** What the writable layer of a container or build step may take; undefined: as much as there is. */
    readonly layerSizeBytes: number | undefined
    /** Where devices are described (CDI), later ones before earlier ones. */
    readonly cdiSpecDirs: readonly string[]
    readonly init: boolean
    /** Undefined: whichever the host has. */
    readonly initPath: string | undefined
    /** Undefined: by the version of control groups. */
    readonly cgroupnsMode: 'host' | 'private' | undefined
    readonly ipcMode: 'private' | 'shareable'
    readonly noNewPrivileges: boolean
    readonly logDriver: string
    readonly logOptions: Readonly<Record<string, string>>
    readonly journaldSocket: string
  }
}

const defaultConfigFile = '/etc/berth/daemon.json'
const defaultDataRoot = '/var/lib/berth'
const defaultExecRoot = '/run/berth'
/** As Docker documents them. */
const defaultPluginDirectories: readonly string[] = [
  '/run/docker/plugins',
  '/etc/docker/plugins',
  '/usr/lib/docker/plugins',
]
const logLevels: readonly string[] = ['debug', 'info', 'warn', 'error', 'fatal']

/** Reads flags and the file they point to. Throws `invalidArgument` whose message names what is wrong. */
export function loadDaemonConfig(args: readonly string[]): DaemonConfig {
  return ConfigSource.open(args).config
}

/** The configuration of an engine inside another program: what daemon.json would say, and neither files nor flags.
 *  Throws `invalidArgument` whose message names what is wrong. */
export function engineConfig(settings: Readonly<Record<string, unknown>>): DaemonConfig {
  return resolveConfig(parseSettings(settings, 'settings'), '')
}

/** The configuration with where it comes from, so that it can be read anew. */
export class ConfigSource {
  readonly #args: readonly string[]
  #raw: RawValues
  #config: DaemonConfig

  private constructor(args: readonly string[], raw: RawValues, config: DaemonConfig) {
    this.#args = args
    this.#raw = raw
    this.#config = config
  }

  /** Reads flags and file. Throws `invalidArgument` whose message names what is wrong. */
  static open(args: readonly string[]): ConfigSource {
    const { raw, path } = readValues(args)
    return new ConfigSource(args, raw, resolveConfig(raw, path))
  }

  /** The configuration as it is in force. */
  get config(): DaemonConfig {
    return this.#config
  }

  /** Reads the file again and gives `apply` the configuration with all that can change without a restart; it is in
   *  force when that succeeds. Resolves with the names of options that have changed and can't. Rejects as `open` throws
   *  and as `apply` does, and nothing has changed then. */
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
  const dataRoot = absolute(text(raw, 'dataRoot') ?? defaultDataRoot)
  const execRoot = absolute(text(raw, 'execRoot') ?? defaultExecRoot)
  const logLevel = raw.debug === true ? 'debug' : (text(raw, 'logLevel') ?? 'info')
  if (!logLevels.includes(logLevel)) throw invalidArgument(`invalid logging level: ${logLevel}`)
  const hosts = list(raw, 'host')
  checkFixedChoices(raw)
  return deepFreeze({
    configFile,
    dataRoot,
    execRoot,
    instance: instanceOf(dataRoot),
    hosts: (hosts.length === 0 ? ['unix:///run/berth.sock'] : hosts).map(parseHost),
    dockerSocket: text(raw, 'dockerSocket'),
    group: text(raw, 'group'),
    pidfile: absolute(text(raw, 'pidfile') ?? join(execRoot, 'berthd.pid')),
    tls: tlsConfig(raw),
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

/** The same configuration on other roots. */
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

function networkConfig(raw: RawValues): DaemonConfig['network'] {
  return {
    ...networkOptions(raw),
    published: firewallPublished(raw),
    dns: list(raw, 'dns'),
    dnsOptions: list(raw, 'dnsOpt'),
    dnsSearch: list(raw, 'dnsSearch'),
    hostGatewayIps: hostGatewayIps(raw),
  }
}

function defaultRuntimeConfig(raw: RawValues): Pick<DaemonConfig['containers'], 'runtimes' | 'defaultRuntime'> {
  const runtimes = runtimesConfig(raw)
  const defaultRuntime = text(raw, 'defaultRuntime') ?? 'crun'
  if (runtimes[defaultRuntime] === undefined) {
    throw invalidArgument(`specified default runtime '${defaultRuntime}' does not exist`)
  }
  return { runtimes, defaultRuntime }
}

function containersConfig(raw: RawValues): DaemonConfig['containers'] {
  const logDriver = text(raw, 'logDriver') ?? 'json-file'
  return {
    ...defaultRuntimeConfig(raw),
    ulimits: [
      ...Object.entries((raw.defaultUlimits ?? {}) as Record<string, unknown>).map(([name, value]) =>
        parseUlimit(name, value),
      ),
      ...list(raw, 'defaultUlimit').map((item) => parseUlimit(undefined, item)),
    ],
    cdiSpecDirs: raw.cdiSpecDir === undefined ? ['/etc/cdi', '/var/run/cdi'] : list(raw, 'cdiSpecDir'),
    shmSizeBytes: parseBytes(text(raw, 'defaultShmSize') ?? '64m', 'default-shm-size'),
    layerSizeBytes: writableLayerBytes(list(raw, 'storageOpt')),
    init: raw.init === true,
    initPath: text(raw, 'initPath') || undefined,
    ...cgroupsConfig(raw),
    cgroupnsMode: oneOf(raw, 'defaultCgroupnsMode', ['host', 'private']),
    ipcMode: oneOf(raw, 'defaultIpcMode', ['private', 'shareable']) ?? 'private',
    noNewPrivileges: raw.noNewPrivileges === true,
    seccompProfile: seccompProfile(text(raw, 'seccompProfile')),
    logDriver,
    journaldSocket: text(raw, 'journaldSocket') ?? '/run/systemd/journal/socket',
    logOptions: { ...((raw.logOpts ?? {}) as Record<string, string>), ...pairs(list(raw, 'logOpt')) },
  }
}

/** The flag, or `{"published": …}` in the file. */
function firewallPublished(raw: RawValues): DaemonConfig['network']['published'] {
  const { published, ...others } = (raw.firewall ?? {}) as Record<string, unknown>
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw invalidArgument(`firewall: unknown key "${unknown}"`)
  const flag = text(raw, 'firewallPublished')
  if (flag !== undefined && published !== undefined) {
    throw invalidArgument(
      'the following directives are specified both as a flag and in the configuration file: firewall.published',
    )
  }
  const value = flag ?? published ?? 'open'
  if (value === 'open' || value === 'host-rules') return value
  throw invalidArgument(`firewall.published: "${String(value)}" is invalid: expected open or host-rules`)
}

/** As with Docker at most one of each family. */
function hostGatewayIps(raw: RawValues): readonly string[] {
  const old = text(raw, 'hostGatewayIp')
  const addresses = [...list(raw, 'hostGatewayIps'), ...(old === undefined ? [] : [old])]
  for (const [index, address] of addresses.entries()) {
    const family = isIP(address)
    if (family === 0) throw invalidArgument(`host-gateway-ip: invalid IP address: ${address}`)
    if (addresses.slice(0, index).some((other) => isIP(other) === family)) {
      throw invalidArgument(`host-gateway-ip: only one IPv${family} address is allowed: ${address}`)
    }
  }
  return addresses
}

function oneOf<T extends string>(raw: RawValues, name: DaemonOptionName, choices: readonly T[]): T | undefined {
  const value = text(raw, name)
  if (value === undefined || (choices as readonly string[]).includes(value)) return value as T | undefined
  throw invalidArgument(
    `${(daemonOptions[name] as DaemonOption).key ?? name}: "${value}" is invalid: expected ${choices.join(' or ')}`,
  )
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

function checkLabel(label: string): string {
  if (!/^[^=]+=./.test(label)) throw invalidArgument(`bad attribute format: ${label}`)
  return label
}

function pairs(items: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    items.map((item) => {
      const at = item.indexOf('=')
      if (at < 1) throw invalidArgument(`invalid key=value "${item}"`)
      return [item.slice(0, at), item.slice(at + 1)]
    }),
  )
}

function absolute(path: string): string {
  return isAbsolute(path) ? path : resolve(path)
}

function text(raw: RawValues, name: keyof RawValues): string | undefined {
  return raw[name] as string | undefined
}

function number(raw: RawValues, name: keyof RawValues): number | undefined {
  return raw[name] as number | undefined
}

function list(raw: RawValues, name: keyof RawValues): readonly string[] {
  return (raw[name] as readonly string[] | undefined) ?? []
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
