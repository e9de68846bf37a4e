/** Turns the flags of `create` and `run` into the body of the API call. Nothing is left out here: the daemon refuses by
 *  name what it does not support. */
import type {
  ContainerConfig,
  ContainerCreateBody,
  HealthConfig,
  HostConfig,
  RestartPolicy,
} from '../../../api/index.ts'
import { invalidArgument, messageOf } from '../../../base/index.ts'
import type { FlagValues } from '../../flags/flag-values.ts'
import { toPairs } from '../../flags/flag-values.ts'
import { fs } from '../../terminal/builtins.ts'
import { definedOnly } from './defined-only.ts'
import { readEnvironment, readLabels } from './environment-options.ts'
import { parseMount, parseTmpfs, parseVolumes } from './mount-options.ts'
import { parseNetworks } from './network-options.ts'
import { type PortOptions, parsePorts } from './port-options.ts'
import { parseResources } from './resource-options.ts'

/** The inputs of a body besides the flags. */
export interface CreateBodyOptions {
  readonly image: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Variables that the container gets unless the user sets them. */
  readonly proxies?: Readonly<Record<string, string>>
  /** True for `run -d`, which attaches to nothing. */
  readonly detach: boolean
  /** The terminal's height and width. */
  readonly consoleSize: readonly [number, number]
}

/** Makes the body. Throws `invalidArgument` with Docker's text. */
export function createBody(flags: FlagValues, options: CreateBodyOptions): ContainerCreateBody {
  const ports = parsePorts(flags.list('publish'), flags.list('expose'))
  const volumes = parseVolumes(flags.list('volume'))
  const networks = parseNetworks(flags)
  const config = containerConfig(flags, options, ports, volumes.anonymous)
  const body: ContainerCreateBody = {
    ...config,
    HostConfig: {
      ...hostConfig(flags, options, ports, volumes.binds),
      NetworkMode: networks.mode,
      ...parseResources(flags),
    },
  }
  if (Object.keys(networks.endpoints).length === 0) return body
  return { ...body, NetworkingConfig: { EndpointsConfig: networks.endpoints } }
}

function containerConfig(
  flags: FlagValues,
  { image, command, environment, proxies = {}, detach }: CreateBodyOptions,
  ports: PortOptions,
  volumes: Record<string, object>,
): ContainerConfig {
  const text = (name: string): string | undefined => flags.string(name) || undefined
  const attach = attachedStreams(flags, detach)
  const interactive = flags.bool('interactive')
  const env = withProxies(readEnvironment(flags.list('env-file'), flags.list('env'), environment), proxies)
  return definedOnly<ContainerConfig>({
    Hostname: text('hostname'),
    Domainname: text('domainname'),
    User: text('user'),
    AttachStdin: attach.stdin,
    AttachStdout: attach.stdout,
    AttachStderr: attach.stderr,
    ExposedPorts: unlessEmpty(ports.exposed),
    Tty: flags.bool('tty'),
    OpenStdin: interactive,
    StdinOnce: interactive && attach.stdin,
    Env: env.length === 0 ? undefined : env,
    Cmd: command.length === 0 ? undefined : command,
    Healthcheck: healthcheck(flags),
    Image: image,
    Volumes: unlessEmpty(volumes),
    WorkingDir: text('workdir'),
    // An empty `--entrypoint` removes the image's.
    Entrypoint: flags.has('entrypoint') ? [flags.string('entrypoint')] : undefined,
    Labels: unlessEmpty(readLabels(flags.list('label-file'), flags.list('label'))),
    StopSignal: text('stop-signal'),
    StopTimeout: flags.has('stop-timeout') ? flags.number('stop-timeout') : undefined,
  })
}

function withProxies(env: readonly string[], proxies: Readonly<Record<string, string>>): readonly string[] {
  const given = new Set(env.map((variable) => variable.split('=')[0]))
  const missing = Object.entries(proxies).filter(([name]) => !given.has(name))
  return [...env, ...missing.map(([name, value]) => `${name}=${value}`)]
}

/** The streams to attach: those of `-a` or, without it, the output, and with `-i` the input. */
export function attachedStreams(
  flags: FlagValues,
  detach: boolean,
): { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean } {
  if (detach) return { stdin: false, stdout: false, stderr: false }
  const named = flags.list('attach')
  const all = named.length === 0
  return {
    stdin: named.includes('stdin') || flags.bool('interactive'),
    stdout: all || named.includes('stdout'),
    stderr: all || named.includes('stderr'),
  }
}

function hostConfig(
  flags: FlagValues,
  options: CreateBodyOptions,
  ports: PortOptions,
  binds: readonly string[],
): HostConfig {
  const text = (name: string): string | undefined => flags.string(name) || undefined
  const list = (name: string): readonly string[] | undefined => (flags.has(name) ? flags.list(name) : undefined)
  const pairs = (name: string): Record<string, string> | undefined => (flags.has(name) ? flags.pairs(name) : undefined)
  const restart = parseRestart(flags.string('restart', 'no'))
  const autoRemove = flags.bool('rm')
  if (autoRemove && restart.Name !== 'no' && restart.Name !== '') {
    throw invalidArgument('conflicting options: cannot specify both --restart and --rm')
  }
  return definedOnly<HostConfig>({
    ...namespaces(flags),
    ...security(flags),
    Binds: binds.length === 0 ? undefined : binds,
    ContainerIDFile: text('cidfile'),
    LogConfig:
      flags.has('log-driver') || flags.has('log-opt')
        ? { Type: flags.string('log-driver'), Config: flags.pairs('log-opt') }
        : undefined,
    PortBindings: unlessEmpty(ports.bindings),
    RestartPolicy: restart,
    AutoRemove: autoRemove,
    VolumeDriver: text('volume-driver'),
    VolumesFrom: list('volumes-from'),
    Mounts: flags.has('mount') ? flags.list('mount').map(parseMount) : undefined,
    ConsoleSize: options.consoleSize,
    Annotations: pairs('annotation'),
    Dns: list('dns'),
    DnsOptions: list('dns-option') ?? list('dns-opt'),
    DnsSearch: list('dns-search'),
    ExtraHosts: list('add-host'),
    GroupAdd: list('group-add'),
    Links: list('link'),
    OomScoreAdj: flags.has('oom-score-adj') ? flags.number('oom-score-adj') : undefined,
    PublishAllPorts: flags.bool('publish-all') || undefined,
    ReadonlyRootfs: flags.bool('read-only') || undefined,
    StorageOpt: flags.has('storage-opt') ? storageOptions(flags.list('storage-opt')) : undefined,
    Tmpfs: flags.has('tmpfs') ? parseTmpfs(flags.list('tmpfs')) : undefined,
    ShmSize: flags.has('shm-size') ? flags.number('shm-size') : undefined,
    Sysctls: pairs('sysctl'),
    Runtime: text('runtime'),
    Isolation: text('isolation'),
    Init: flags.has('init') ? flags.bool('init') : undefined,
  })
}

function namespaces(flags: FlagValues): HostConfig {
  const modes: readonly (readonly [string, string, RegExp])[] = [
    ['pid', 'PID', /^(host|container:.+)$/],
    ['uts', 'UTS', /^host$/],
    ['userns', 'USER', /^host$/],
    ['cgroupns', 'CGROUP', /^(host|private)$/],
  ]
  for (const [name, word, valid] of modes) {
    const value = flags.string(name)
    if (value !== '' && !valid.test(value)) throw invalidArgument(`--${name}: invalid ${word} mode`)
  }
  return definedOnly<HostConfig>({
    IpcMode: flags.string('ipc') || undefined,
    PidMode: flags.string('pid') || undefined,
    UTSMode: flags.string('uts') || undefined,
    UsernsMode: flags.string('userns') || undefined,
    CgroupnsMode: flags.string('cgroupns') || undefined,
  })
}

function security(flags: FlagValues): HostConfig {
  const options: string[] = []
  let allPaths = false
  for (const option of flags.list('security-opt')) {
    if (option === 'systempaths=unconfined') allPaths = true
    else options.push(securityOption(option))
  }
  return definedOnly<HostConfig>({
    CapAdd: flags.has('cap-add') ? capabilities(flags.list('cap-add')) : undefined,
    CapDrop: flags.has('cap-drop') ? capabilities(flags.list('cap-drop')) : undefined,
    Privileged: flags.bool('privileged') || undefined,
    SecurityOpt: flags.has('security-opt') ? options : undefined,
    MaskedPaths: allPaths ? [] : undefined,
    ReadonlyPaths: allPaths ? [] : undefined,
  })
}

/** Turns `net_admin` into `CAP_NET_ADMIN`, and drops duplicates. */
function capabilities(names: readonly string[]): string[] {
  const full = names
    .map((name) => name.trim().toUpperCase())
    .map((name) => (name === 'ALL' || name.startsWith('CAP_') ? name : `CAP_${name}`))
  return [...new Set(full)].toSorted()
}

/** Replaces a seccomp profile's path by its content, because the daemon may not see the client's files. */
function securityOption(option: string): string {
  if (option === 'no-new-privileges') return option
  const match = /^([^=:]+)[=:](.+)$/.exec(option)
  if (match === null) throw invalidArgument(`Invalid --security-opt: ${JSON.stringify(option)}`)
  const [, name = '', value = ''] = match
  if (name !== 'seccomp' || value === 'unconfined' || value === 'builtin') return option
  let text: string
  try {
    text = fs.readFileSync(value, 'utf8')
  } catch (error) {
    const reason = messageOf(error).includes('ENOENT') ? 'no such file or directory' : messageOf(error)
    throw invalidArgument(`opening seccomp profile (${value}) failed: open ${value}: ${reason}`, { cause: error })
  }
  try {
    return `seccomp=${JSON.stringify(JSON.parse(text))}`
  } catch (error) {
    throw invalidArgument(`compacting json for seccomp profile (${value}) failed: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function storageOptions(values: readonly string[]): Record<string, string> {
  if (values.some((value) => !value.includes('='))) throw invalidArgument('invalid storage option')
  return toPairs(values)
}

/** Parses `on-failure:3`. The daemon checks the policy's name. Throws `invalidArgument` with Docker's text. */
export function parseRestart(value: string): RestartPolicy {
  const [name = '', count, ...more] = value.split(':')
  if (more.length > 0) throw invalidArgument('invalid restart policy format: restart policy accepts at most one colon')
  if (name === '' && count !== undefined)
    throw invalidArgument('invalid restart policy format: no policy provided before colon')
  if (count !== undefined && !/^-?\d+$/.test(count)) {
    throw invalidArgument('invalid restart policy format: maximum retry count must be an integer')
  }
  return { Name: name, MaximumRetryCount: Number(count ?? 0) }
}

function healthcheck(flags: FlagValues): HealthConfig | undefined {
  const durations = ['health-interval', 'health-timeout', 'health-start-period', 'health-start-interval'] as const
  const has =
    flags.string('health-cmd') !== '' ||
    flags.has('health-retries') ||
    durations.some((name) => flags.number(name) !== 0)
  if (flags.bool('no-healthcheck')) {
    if (has) throw invalidArgument('--no-healthcheck conflicts with --health-* options')
    return { Test: ['NONE'] }
  }
  if (!has) return undefined
  for (const name of durations) if (flags.number(name) < 0) throw invalidArgument(`--${name} cannot be negative`)
  if (flags.number('health-retries') < 0) throw invalidArgument('--health-retries cannot be negative')
  const command = flags.string('health-cmd')
  return {
    ...(command === '' ? {} : { Test: ['CMD-SHELL', command] }),
    Interval: flags.number('health-interval'),
    Timeout: flags.number('health-timeout'),
    StartPeriod: flags.number('health-start-period'),
    StartInterval: flags.number('health-start-interval'),
    Retries: flags.number('health-retries'),
  }
}

function unlessEmpty<T extends object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value
}
