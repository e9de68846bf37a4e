/** Every option of `berthd`: dockerd's flag names and daemon.json keys, for all that is supported.
 *  The command line, daemon.json, `--help` and the checks all read this one table.
 *  https://docs.docker.com/reference/cli/dockerd/ */

export type OptionKind = 'string' | 'boolean' | 'number' | 'list' | 'map' | 'object' | 'objects'

export interface DaemonOption {
  /** Long flag without dashes; absent for what only daemon.json can say. */
  readonly flag?: string
  readonly short?: string
  /** Key in daemon.json; absent for what only the command line can say. */
  readonly key?: string
  readonly kind: OptionKind
  readonly help: string
  /** True when a SIGHUP applies a new value without a restart. */
  readonly reloadable?: boolean
}

export const daemonOptions = {
  addRuntime: { flag: 'add-runtime', kind: 'list', help: 'Register an additional OCI runtime (NAME=PATH)' },
  runtimes: {
    key: 'runtimes',
    kind: 'object',
    help: 'OCI runtimes by name: {"NAME": {"path": "…", "runtimeArgs": ["…"]}}',
    reloadable: true,
  },
  defaultAddressPool: {
    flag: 'default-address-pool',
    kind: 'list',
    help: 'Range that networks without a subnet are given parts of (base=CIDR,size=LENGTH)',
  },
  defaultAddressPools: {
    key: 'default-address-pools',
    kind: 'objects',
    help: 'The same in daemon.json: a list of objects with base and size',
  },
  bip: { flag: 'bip', key: 'bip', kind: 'string', help: 'IPv4 address and prefix of the default bridge (CIDR)' },
  bip6: { flag: 'bip6', key: 'bip6', kind: 'string', help: 'IPv6 address and prefix of the default bridge (CIDR)' },
  defaultGateway: {
    flag: 'default-gateway',
    key: 'default-gateway',
    kind: 'string',
    help: "Containers' IPv4 router on the default bridge (default: the bridge)",
  },
  defaultGatewayV6: {
    flag: 'default-gateway-v6',
    key: 'default-gateway-v6',
    kind: 'string',
    help: "Containers' IPv6 router on the default bridge (default: the bridge)",
  },
  defaultNetworkOpt: {
    flag: 'default-network-opt',
    kind: 'list',
    help: 'Default option of new networks (DRIVER=NAME=VALUE)',
  },
  defaultNetworkOpts: {
    key: 'default-network-opts',
    kind: 'object',
    help: 'Default options of new networks: {"DRIVER": {"NAME": "VALUE"}}',
  },
  fixedCidr: {
    flag: 'fixed-cidr',
    key: 'fixed-cidr',
    kind: 'string',
    help: "Part of the default bridge's range that containers' addresses are chosen from",
  },
  fixedCidrV6: {
    flag: 'fixed-cidr-v6',
    key: 'fixed-cidr-v6',
    kind: 'string',
    help: 'IPv6 range of the default bridge',
  },
  ipForward: {
    flag: 'ip-forward',
    key: 'ip-forward',
    kind: 'boolean',
    help: 'Let the host forward packets (default true)',
  },
  ipMasq: {
    flag: 'ip-masq',
    key: 'ip-masq',
    kind: 'boolean',
    help: "Show the host's address outside instead of containers' on the default bridge (default true)",
  },
  iptables: {
    flag: 'iptables',
    key: 'iptables',
    kind: 'boolean',
    help: 'Packet filter rules (always true; with nftables)',
  },
  ip6tables: { flag: 'ip6tables', key: 'ip6tables', kind: 'boolean', help: 'The same for IPv6' },
  ipv6: { flag: 'ipv6', key: 'ipv6', kind: 'boolean', help: 'Give the default bridge IPv6' },
  cgroupParent: {
    flag: 'cgroup-parent',
    key: 'cgroup-parent',
    kind: 'string',
    help: "Control group to keep the daemon's groups in (default the root)",
  },
  builder: {
    key: 'builder',
    kind: 'object',
    help: 'Bounds of the build cache: {"gc": {"enabled": true, "defaultReservedSpace": "10GB", "policy": […]}}',
    reloadable: true,
  },
  cdiSpecDir: {
    flag: 'cdi-spec-dir',
    key: 'cdi-spec-dirs',
    kind: 'list',
    help: 'CDI specification directories to use (default "/etc/cdi", "/var/run/cdi")',
    reloadable: true,
  },
  configFile: { flag: 'config-file', kind: 'string', help: 'Configuration file (default "/etc/berth/daemon.json")' },
  dataRoot: {
    flag: 'data-root',
    key: 'data-root',
    kind: 'string',
    help: 'Root of all persistent state (default "/var/lib/berth")',
  },
  debug: { flag: 'debug', short: 'D', key: 'debug', kind: 'boolean', help: 'Enable debug mode', reloadable: true },
  defaultCgroupnsMode: {
    flag: 'default-cgroupns-mode',
    key: 'default-cgroupns-mode',
    kind: 'string',
    help: 'Default cgroup namespace of containers, host or private (default "private" on cgroup v2, else "host")',
    reloadable: true,
  },
  defaultIpcMode: {
    flag: 'default-ipc-mode',
    key: 'default-ipc-mode',
    kind: 'string',
    help: 'Default IPC namespace of containers, shareable or private (default "private")',
    reloadable: true,
  },
  defaultRuntime: {
    flag: 'default-runtime',
    key: 'default-runtime',
    kind: 'string',
    help: 'Default OCI runtime for containers (default "crun")',
    reloadable: true,
  },
  defaultShmSize: {
    flag: 'default-shm-size',
    key: 'default-shm-size',
    kind: 'string',
    help: 'Default size of /dev/shm for containers (default 64MiB)',
    reloadable: true,
  },
  defaultUlimit: { flag: 'default-ulimit', kind: 'list', help: 'Default ulimits for containers (NAME=SOFT[:HARD])' },
  defaultUlimits: {
    key: 'default-ulimits',
    kind: 'object',
    help: 'Default ulimits: {"NAME": {"Name": …, "Soft": …, "Hard": …}}',
    reloadable: true,
  },
  dns: { flag: 'dns', key: 'dns', kind: 'list', help: 'DNS server for containers', reloadable: true },
  dnsOpt: { flag: 'dns-opt', key: 'dns-opts', kind: 'list', help: 'DNS option for containers', reloadable: true },
  dnsSearch: {
    flag: 'dns-search',
    key: 'dns-search',
    kind: 'list',
    help: 'DNS search domain for containers',
    reloadable: true,
  },
  dockerSocket: {
    flag: 'docker-socket',
    kind: 'string',
    help: 'Also link the first unix socket under this path (e.g. /var/run/docker.sock)',
  },
  execOpt: {
    flag: 'exec-opt',
    key: 'exec-opts',
    kind: 'list',
    help: 'Runtime execution option (native.cgroupdriver=cgroupfs)',
  },
  execRoot: {
    flag: 'exec-root',
    key: 'exec-root',
    kind: 'string',
    help: 'Root of runtime state (default "/run/berth")',
  },
  experimental: {
    flag: 'experimental',
    key: 'experimental',
    kind: 'boolean',
    help: 'Tell clients that experimental features are on; Berth has none',
  },
  features: {
    key: 'features',
    kind: 'object',
    help: 'Features by name: {"buildkit": true|false, "containerd-snapshotter": false, "cdi": true}',
  },
  firewall: {
    key: 'firewall',
    kind: 'object',
    help: 'Packet filter: {"published": "open"|"host-rules"}',
  },
  firewallPublished: {
    flag: 'firewall-published',
    kind: 'string',
    help: 'Whom published ports are open to: everybody (open), or whom the host\'s own rules let in (host-rules) (default "open")',
  },
  group: {
    flag: 'group',
    short: 'G',
    key: 'group',
    kind: 'string',
    help: 'Group of the unix socket (default "docker", else "berth")',
  },
  host: {
    flag: 'host',
    short: 'H',
    key: 'hosts',
    kind: 'list',
    help: 'Socket to listen on (unix://PATH, tcp://HOST:PORT)',
  },
  hostGatewayIp: {
    flag: 'host-gateway-ip',
    key: 'host-gateway-ip',
    kind: 'string',
    help: 'Address that host-gateway stands for in --add-host (default the gateway of the default bridge)',
    reloadable: true,
  },
  httpProxy: {
    flag: 'http-proxy',
    kind: 'string',
    help: "HTTP proxy for the daemon's own requests (default: HTTP_PROXY)",
    reloadable: true,
  },
  httpsProxy: {
    flag: 'https-proxy',
    kind: 'string',
    help: "HTTPS proxy for the daemon's own requests (default: HTTPS_PROXY)",
    reloadable: true,
  },
  icc: {
    flag: 'icc',
    key: 'icc',
    kind: 'boolean',
    help: 'Let containers of the default bridge reach each other (default true)',
  },
  init: { flag: 'init', key: 'init', kind: 'boolean', help: 'Run an init in every container', reloadable: true },
  initPath: {
    flag: 'init-path',
    key: 'init-path',
    kind: 'string',
    help: 'Program that --init runs (default docker-init, tini or catatonit of the host)',
    reloadable: true,
  },
  insecureRegistry: {
    flag: 'insecure-registry',
    key: 'insecure-registries',
    kind: 'list',
    help: 'Registry (or CIDR) to reach without verified TLS',
    reloadable: true,
  },
  ip: { flag: 'ip', key: 'ip', kind: 'string', help: 'Default host address for published ports (default 0.0.0.0)' },
  label: { flag: 'label', key: 'labels', kind: 'list', help: 'Label of this daemon (KEY=VALUE)', reloadable: true },
  liveRestore: {
    flag: 'live-restore',
    key: 'live-restore',
    kind: 'boolean',
    help: 'Containers run on when the daemon stops (default true)',
    reloadable: true,
  },
  minApiVersion: {
    key: 'min-api-version',
    kind: 'string',
    help: 'Oldest API version that clients may use, from 1.12 on (default "1.24", or $DOCKER_MIN_API_VERSION)',
  },
  journaldSocket: {
    flag: 'journald-socket',
    key: 'journald-socket',
    kind: 'string',
    help: 'Socket of the journal for the log driver journald (default "/run/systemd/journal/socket")',
  },
  logDriver: {
    flag: 'log-driver',
    key: 'log-driver',
    kind: 'string',
    help: 'Default log driver of containers (default "json-file")',
  },
  logLevel: {
    flag: 'log-level',
    short: 'l',
    key: 'log-level',
    kind: 'string',
    help: 'debug, info, warn, error or fatal (default "info")',
    reloadable: true,
  },
  logOpt: { flag: 'log-opt', kind: 'list', help: 'Default log driver option of containers (KEY=VALUE)' },
  logOpts: { key: 'log-opts', kind: 'map', help: 'Default log driver options: {"KEY": "VALUE"}' },
  maxConcurrentDownloads: {
    flag: 'max-concurrent-downloads',
    key: 'max-concurrent-downloads',
    kind: 'number',
    help: 'Layers downloaded at once in one pull (default 3)',
    reloadable: true,
  },
  maxConcurrentUploads: {
    flag: 'max-concurrent-uploads',
    key: 'max-concurrent-uploads',
    kind: 'number',
    help: 'Layers uploaded at once by all pushes (default 5)',
    reloadable: true,
  },
  mtu: { flag: 'mtu', key: 'mtu', kind: 'number', help: 'MTU of the default bridge (default 1500)' },
  noNewPrivileges: {
    flag: 'no-new-privileges',
    key: 'no-new-privileges',
    kind: 'boolean',
    help: 'Set no-new-privileges for new containers',
    reloadable: true,
  },
  noProxy: {
    flag: 'no-proxy',
    kind: 'string',
    help: 'Hosts, domains and networks that are reached without a proxy, with commas between (default: NO_PROXY)',
    reloadable: true,
  },
  pidfile: {
    flag: 'pidfile',
    short: 'p',
    key: 'pidfile',
    kind: 'string',
    help: 'File that holds the daemon\'s pid (default "EXEC-ROOT/berthd.pid")',
  },
  pluginDir: {
    flag: 'plugin-dir',
    key: 'plugin-dirs',
    kind: 'list',
    help: 'Directory with sockets and descriptions of plugins (default "/run/docker/plugins", "/etc/docker/plugins", "/usr/lib/docker/plugins")',
  },
  pluginTimeout: {
    flag: 'plugin-timeout',
    key: 'plugin-timeout',
    kind: 'number',
    help: 'Seconds to wait for a plugin that can not be reached (default 30)',
  },
  proxies: {
    key: 'proxies',
    kind: 'map',
    help: 'Proxies: {"http-proxy": "…", "https-proxy": "…", "no-proxy": "…"}',
    reloadable: true,
  },
  registryCertsDir: {
    flag: 'registry-certs-dir',
    key: 'registry-certs-dirs',
    kind: 'list',
    help: 'Directory with HOST[:PORT]/*.crt, *.cert, *.key (default /etc/berth/certs.d, /etc/docker/certs.d)',
    reloadable: true,
  },
  registryMirror: {
    flag: 'registry-mirror',
    key: 'registry-mirrors',
    kind: 'list',
    help: 'Mirror of docker.io to try first',
    reloadable: true,
  },
  seccompProfile: {
    flag: 'seccomp-profile',
    key: 'seccomp-profile',
    kind: 'string',
    help: 'File with the default seccomp profile, "builtin" or "unconfined" (default "builtin")',
    reloadable: true,
  },
  selinuxEnabled: {
    flag: 'selinux-enabled',
    key: 'selinux-enabled',
    kind: 'boolean',
    help: 'Confine containers by SELinux, where the host has it',
  },
  shutdownTimeout: {
    flag: 'shutdown-timeout',
    key: 'shutdown-timeout',
    kind: 'number',
    help: 'Seconds to wait for containers when they are stopped with the daemon (default 15)',
    reloadable: true,
  },
  storageDriver: {
    flag: 'storage-driver',
    short: 's',
    key: 'storage-driver',
    kind: 'string',
    help: 'Storage driver: overlay2, the only one',
  },
  storageOpt: {
    flag: 'storage-opt',
    key: 'storage-opts',
    kind: 'list',
    help: 'Storage driver option; there are none',
  },
  tls: { flag: 'tls', key: 'tls', kind: 'boolean', help: 'Use TLS on tcp sockets; implied by --tlsverify' },
  tlscacert: {
    flag: 'tlscacert',
    key: 'tlscacert',
    kind: 'string',
    help: 'Trust only client certificates signed by this CA',
  },
  tlscert: { flag: 'tlscert', key: 'tlscert', kind: 'string', help: 'TLS certificate file' },
  tlskey: { flag: 'tlskey', key: 'tlskey', kind: 'string', help: 'TLS key file' },
  tlsverify: { flag: 'tlsverify', key: 'tlsverify', kind: 'boolean', help: 'Use TLS and verify the clients' },
  trace: { flag: 'trace', kind: 'boolean', help: 'Print the time of each step of a container start' },
  userlandProxy: {
    flag: 'userland-proxy',
    key: 'userland-proxy',
    kind: 'boolean',
    help: 'Only false: published ports need no proxy (default false)',
  },
  usernsRemap: {
    flag: 'userns-remap',
    key: 'userns-remap',
    kind: 'string',
    help: 'User and group whose subordinate ids containers get: USER[:GROUP], UID[:GID], or "default" for "berthremap"',
  },
  validate: { flag: 'validate', kind: 'boolean', help: 'Check the configuration and exit' },
} as const satisfies Record<string, DaemonOption>

export type DaemonOptionName = keyof typeof daemonOptions

/** The text of `berthd --help`. */
export function daemonHelp(): string {
  const rows = Object.values(daemonOptions as Record<string, DaemonOption>)
    .filter((option) => option.flag !== undefined)
    .map((option) => {
      const short = option.short === undefined ? '    ' : `-${option.short}, `
      const value = option.kind === 'boolean' ? '' : option.kind === 'number' ? ' int' : ` ${option.kind}`
      return [`  ${short}--${option.flag}${value}`, option.help] as const
    })
  const width = Math.max(...rows.map(([left]) => left.length)) + 3
  const lines = rows.map(([left, help]) => `${left.padEnd(width)}${help}`)
  return `Usage:  berthd [OPTIONS]\n\nA Docker-compatible container engine.\n\nOptions:\n${lines.join('\n')}\n      --help\n  -v, --version\n`
}
