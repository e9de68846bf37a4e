/** Where the values of flags come from: by the name of the flag alone, or by command and flag. */
import { anyOf, type Candidate, files, nothing, type Source, words } from './candidate.ts'
import {
  containers,
  contexts,
  images,
  logDrivers,
  networks,
  ownNetworks,
  runtimes,
  variables,
  volumeDrivers,
  volumes,
} from './live-names.ts'

const all = containers()

/** The given words, and `container:NAME`. */
function orContainer(...values: readonly string[]): Source {
  return async (point) => [
    ...values.map((value): Candidate => ({ value })),
    ...(point.word.startsWith('container:')
      ? (await all(point)).map(({ value, ...rest }) => ({ ...rest, value: `container:${value}` }))
      : [{ value: 'container:' }]),
  ]
}

const signals = words(
  ...[
    'ABRT',
    'ALRM',
    'BUS',
    'CHLD',
    'CONT',
    'FPE',
    'HUP',
    'ILL',
    'INT',
    'IO',
    'KILL',
    'PIPE',
    'PROF',
    'PWR',
    'QUIT',
  ].map(withSig),
  ...['SEGV', 'STKFLT', 'STOP', 'SYS', 'TERM', 'TRAP', 'TSTP', 'TTIN', 'TTOU', 'URG', 'USR1', 'USR2', 'VTALRM'].map(
    withSig,
  ),
  ...['WINCH', 'XCPU', 'XFSZ'].map(withSig),
)

function withSig(name: string): string {
  return `SIG${name}`
}

const capabilities = words(
  'ALL',
  ...['AUDIT_CONTROL', 'AUDIT_READ', 'AUDIT_WRITE', 'BLOCK_SUSPEND', 'BPF', 'CHECKPOINT_RESTORE', 'CHOWN'].map(withCap),
  ...['DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'IPC_LOCK', 'IPC_OWNER', 'KILL', 'LEASE'].map(withCap),
  ...['LINUX_IMMUTABLE', 'MAC_ADMIN', 'MAC_OVERRIDE', 'MKNOD', 'NET_ADMIN', 'NET_BIND_SERVICE'].map(withCap),
  ...['NET_BROADCAST', 'NET_RAW', 'PERFMON', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYSLOG'].map(withCap),
  ...['SYS_ADMIN', 'SYS_BOOT', 'SYS_CHROOT', 'SYS_MODULE', 'SYS_NICE', 'SYS_PACCT', 'SYS_PTRACE'].map(withCap),
  ...['SYS_RAWIO', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'WAKE_ALARM'].map(withCap),
)

function withCap(name: string): string {
  return `CAP_${name}`
}

const platforms = words(
  'linux/386',
  'linux/amd64',
  'linux/arm/v6',
  'linux/arm/v7',
  'linux/arm64',
  'linux/ppc64le',
  'linux/riscv64',
  'linux/s390x',
)

/** Flags that have the same values in every command. */
const sources: Readonly<Record<string, Source | typeof files>> = {
  attach: words('stdin', 'stdout', 'stderr'),
  'cap-add': capabilities,
  'cap-drop': capabilities,
  cgroupns: words('host', 'private'),
  cidfile: files,
  compress: words('zstd', 'gzip', 'none'),
  config: files,
  context: contexts,
  env: variables,
  'env-file': files,
  file: files,
  format: words('json', 'table'),
  gpus: words('all'),
  input: files,
  ipc: orContainer('host', 'none', 'private', 'shareable'),
  'label-file': files,
  link: all,
  'log-driver': logDrivers,
  'log-level': words('debug', 'info', 'warn', 'error', 'fatal'),
  net: orContainer('bridge', 'host', 'none'),
  network: anyOf(ownNetworks, orContainer('bridge', 'host', 'none')),
  output: files,
  pid: orContainer('host'),
  platform: platforms,
  progress: words('auto', 'plain', 'tty', 'rawjson', 'quiet'),
  pull: words('always', 'missing', 'never'),
  restart: words('always', 'no', 'on-failure', 'unless-stopped'),
  runtime: runtimes,
  'security-opt': words('apparmor=', 'label=', 'no-new-privileges', 'seccomp=', 'systempaths=unconfined'),
  signal: signals,
  'stop-signal': signals,
  tlscacert: files,
  tlscert: files,
  tlskey: files,
  type: words('container', 'image', 'network', 'volume'),
  userns: words('host'),
  uts: words('host'),
  volume: async (point) => (await volumes(point)).map(({ value, ...rest }) => ({ ...rest, value: `${value}:` })),
  'volume-driver': volumeDrivers,
  'volumes-from': all,
}

const states = ['created', 'dead', 'exited', 'paused', 'removing', 'restarting', 'running']
const booleans = ['true', 'false']

/** Names of filters and, after `=`, their values. */
const filters: Readonly<Record<string, Readonly<Record<string, Source>>>> = {
  'container ls': {
    ancestor: images,
    before: all,
    exited: nothing,
    expose: nothing,
    health: words('healthy', 'none', 'starting', 'unhealthy'),
    id: nothing,
    'is-task': words(...booleans),
    label: nothing,
    name: all,
    network: networks,
    publish: nothing,
    since: all,
    status: words(...states),
    volume: volumes,
  },
  'container prune': { label: nothing, until: nothing },
  'image ls': {
    before: images,
    dangling: words(...booleans),
    label: nothing,
    reference: images,
    since: images,
    until: nothing,
  },
  'image prune': { dangling: words(...booleans), label: nothing, until: nothing },
  'network ls': {
    dangling: words(...booleans),
    driver: nothing,
    id: nothing,
    label: nothing,
    name: networks,
    scope: words('global', 'local', 'swarm'),
    type: words('builtin', 'custom'),
  },
  'network prune': { label: nothing, until: nothing },
  'system events': {
    container: all,
    daemon: nothing,
    event: nothing,
    image: images,
    label: nothing,
    network: networks,
    type: words('container', 'daemon', 'image', 'network', 'volume'),
    volume: volumes,
  },
  'system prune': { label: nothing, until: nothing },
  'volume ls': { dangling: words(...booleans), driver: volumeDrivers, label: nothing, name: volumes },
  'volume prune': { all: words(...booleans), label: nothing },
  search: { 'is-official': words(...booleans), stars: nothing },
}

/** The source for the values of a command's flag. */
export function flagSource(command: string, flag: string): Source | typeof files {
  if (flag === 'filter') return filterSource(filters[command] ?? {})
  return Object.hasOwn(sources, flag) ? (sources[flag] ?? nothing) : nothing
}

function filterSource(known: Readonly<Record<string, Source>>): Source {
  return async (point) => {
    const [name = '', ...value] = point.word.split('=')
    const source = Object.hasOwn(known, name) ? known[name] : undefined
    if (value.length === 0) return Object.keys(known).map((key) => ({ value: `${key}=` }))
    const offered = await source?.({ ...point, word: value.join('=') })
    return (offered ?? []).map(({ value: end, ...rest }) => ({ ...rest, value: `${name}=${end}` }))
  }
}
