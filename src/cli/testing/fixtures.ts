/** Answers of a made-up daemon, with something in every field that the CLI shows. Times are relative to now. */

const now = Math.floor(Date.now() / 1000)
const id = (digit: string): string => digit.repeat(64)

const endpoint = {
  IPAMConfig: null, Links: null, Aliases: null, MacAddress: '02:42:ac:11:00:02', DriverOpts: null, NetworkID: id('e'),
  EndpointID: id('f'), Gateway: '172.17.0.1', IPAddress: '172.17.0.2', IPPrefixLen: 16, IPv6Gateway: '',
  GlobalIPv6Address: '', GlobalIPv6PrefixLen: 0, DNSNames: null,
}

export const containerList = [
  {
    Id: id('a'), Names: ['/web'], Image: 'nginx:1.27', ImageID: `sha256:${id('1')}`,
    Command: '/docker-entrypoint.sh nginx -g daemon off;', Created: now - 7260,
    Ports: [
      { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
      { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
      { PrivatePort: 443, Type: 'tcp' },
      { IP: '0.0.0.0', PrivatePort: 9001, PublicPort: 9001, Type: 'tcp' },
      { IP: '0.0.0.0', PrivatePort: 9002, PublicPort: 9002, Type: 'tcp' },
      { IP: '127.0.0.1', PrivatePort: 53, PublicPort: 5353, Type: 'udp' },
    ],
    Labels: { 'com.example.tier': 'front', a: '1' }, State: 'running', Status: 'Up 2 hours', SizeRw: 1234567, SizeRootFs: 187654321,
    HostConfig: { NetworkMode: 'bridge' }, NetworkSettings: { Networks: { bridge: endpoint, alpha: endpoint } },
    Mounts: [
      { Type: 'volume', Name: 'a-volume-with-a-long-name', Source: '/x', Destination: '/data', Driver: 'local', Mode: 'z', RW: true, Propagation: '' },
      { Type: 'bind', Source: '/srv/www/a/long/path', Destination: '/www', Mode: 'ro', RW: false, Propagation: 'rprivate' },
    ],
  },
  {
    Id: id('b'), Names: ['/job', '/other/alias'], Image: `sha256:${id('2')}`, ImageID: `sha256:${id('2')}`, Command: 'sh', Created: now - 40,
    Ports: [], Labels: {}, State: 'exited', Status: 'Exited (3) 12 seconds ago', HostConfig: { NetworkMode: 'none' },
    NetworkSettings: { Networks: {} }, Mounts: [],
  },
]

export const imageList = [
  {
    Id: `sha256:${id('1')}`, ParentId: '', RepoTags: ['nginx:1.27', 'nginx:latest'], RepoDigests: [`nginx@sha256:${id('9')}`],
    Created: now - 86400 * 45, Size: 187654321, SharedSize: -1, Labels: null, Containers: 2,
  },
  {
    Id: `sha256:${id('2')}`, ParentId: '', RepoTags: ['127.0.0.1:5000/team/busybox:1'], RepoDigests: [], Created: now - 100, Size: 4261234,
    SharedSize: -1, Labels: {}, Containers: -1,
  },
  {
    Id: `sha256:${id('3')}`, ParentId: '', RepoTags: [], RepoDigests: [], Created: now - 86400 * 800, Size: 999, SharedSize: -1, Labels: {},
    Containers: -1,
  },
]

export const containerInspect = {
  Id: id('a'), Created: '2026-01-02T03:04:05.678901234Z', Path: '/docker-entrypoint.sh', Args: ['nginx', '-g', 'daemon off;'],
  State: {
    Status: 'running', Running: true, Paused: false, Restarting: false, OOMKilled: false, Dead: false, Pid: 4242, ExitCode: 0, Error: '',
    StartedAt: '2026-01-02T03:04:06.1Z', FinishedAt: '0001-01-01T00:00:00Z',
  },
  Image: `sha256:${id('1')}`, ResolvConfPath: '/r', HostnamePath: '/h', HostsPath: '/hs', LogPath: '/l', Name: '/web', RestartCount: 0,
  Driver: 'overlay2', Platform: 'linux', MountLabel: '', ProcessLabel: '', AppArmorProfile: '', ExecIDs: null,
  HostConfig: {
    Binds: null, ContainerIDFile: '', LogConfig: { Type: 'json-file', Config: {} }, NetworkMode: 'bridge',
    PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] }, RestartPolicy: { Name: 'no', MaximumRetryCount: 0 }, AutoRemove: false,
    VolumeDriver: '', VolumesFrom: null, ConsoleSize: [0, 0], CapAdd: ['NET_ADMIN'], CapDrop: null, CgroupnsMode: 'private', Dns: [],
    DnsOptions: [], DnsSearch: [], ExtraHosts: null, GroupAdd: null, IpcMode: 'private', Cgroup: '', Links: null, OomScoreAdj: 0, PidMode: '',
    Privileged: false, PublishAllPorts: false, ReadonlyRootfs: false, SecurityOpt: null, UTSMode: '', UsernsMode: '', ShmSize: 67108864,
    Runtime: 'crun', Isolation: '', CpuShares: 0, Memory: 0, NanoCpus: 1500000000, CgroupParent: '', BlkioWeight: 0, MemorySwap: 0,
    MemorySwappiness: null, OomKillDisable: null, PidsLimit: null, Ulimits: [{ Name: 'nofile', Hard: 1024, Soft: 1024 }],
    MaskedPaths: ['/proc/asound', '/proc/acpi'], ReadonlyPaths: ['/proc/bus'],
  },
  GraphDriver: { Data: { LowerDir: '/lower', UpperDir: '/upper' }, Name: 'overlay2' },
  Mounts: [{ Type: 'volume', Name: 'v', Source: '/x', Destination: '/data', Driver: 'local', Mode: 'z', RW: true, Propagation: '' }],
  Config: {
    Hostname: 'aaaaaaaaaaaa', Domainname: '', User: '', AttachStdin: false, AttachStdout: false, AttachStderr: false,
    ExposedPorts: { '80/tcp': {}, '443/tcp': {} }, Tty: false, OpenStdin: false, StdinOnce: false, Env: ['PATH=/bin', 'A=<b> & "c"'],
    Cmd: ['nginx', '-g', 'daemon off;'], Image: 'nginx:1.27', Volumes: null, WorkingDir: '', Entrypoint: ['/docker-entrypoint.sh'],
    OnBuild: null, Labels: { 'com.example.tier': 'front', a: '1' }, StopSignal: 'SIGQUIT',
  },
  NetworkSettings: {
    Bridge: '', SandboxID: id('5'), SandboxKey: '/k',
    Ports: {
      '443/tcp': null,
      '53/udp': [{ HostIp: '127.0.0.1', HostPort: '5353' }],
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
    },
    HairpinMode: false, LinkLocalIPv6Address: '', LinkLocalIPv6PrefixLen: 0, SecondaryIPAddresses: null, SecondaryIPv6Addresses: null,
    EndpointID: id('f'), Gateway: '172.17.0.1', GlobalIPv6Address: '', GlobalIPv6PrefixLen: 0, IPAddress: '172.17.0.2', IPPrefixLen: 16,
    IPv6Gateway: '', MacAddress: '02:42:ac:11:00:02', Networks: { bridge: endpoint },
  },
}

export const history = [
  { Id: `sha256:${id('1')}`, Created: now - 86400 * 3, CreatedBy: '/bin/sh -c #(nop)  CMD ["nginx" "-g" "daemon off;"]', Tags: ['nginx:1.27'], Size: 0, Comment: '' },
  { Id: '<missing>', Created: now - 86400 * 4, CreatedBy: 'RUN /bin/sh -c apt-get update && apt-get install -y a-package-with-a-long-name # buildkit', Tags: null, Size: 113456789, Comment: 'buildkit.dockerfile.v0' },
]

export const volumeList = {
  Volumes: [
    { Name: 'data', Driver: 'local', Mountpoint: '/var/lib/berth/volumes/data/_data', CreatedAt: '2026-01-02T03:04:05Z', Labels: { b: '2', a: '1' }, Scope: 'local', Options: null },
    { Name: id('4'), Driver: 'local', Mountpoint: '/var/lib/berth/volumes/4/_data', CreatedAt: '2026-01-02T03:04:05Z', Labels: null, Scope: 'local', Options: null },
  ],
  Warnings: null,
}

const network = {
  Created: '2026-01-02T03:04:05.678901234Z', Scope: 'local', EnableIPv4: true, EnableIPv6: false,
  IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }] }, Internal: false, Attachable: false,
  Ingress: false, ConfigFrom: { Network: '' }, ConfigOnly: false, Containers: {}, Options: {}, Labels: {},
}
export const networkList = [
  { Name: 'bridge', Id: id('e'), Driver: 'bridge', ...network, Options: { 'com.docker.network.bridge.name': 'berth0' }, Labels: { x: 'y' } },
  { Name: 'host', Id: id('6'), Driver: 'host', ...network },
  { Name: 'none', Id: id('7'), Driver: 'null', ...network },
]

export const version = {
  Platform: { Name: 'Berth' },
  Components: [
    {
      Name: 'Engine', Version: '0.1.0',
      Details: { ApiVersion: '1.51', Arch: 'amd64', BuildTime: '2026-01-02T03:04:05.000000000+00:00', Experimental: 'false', GitCommit: 'abc1234', GoVersion: 'v26.10.0', KernelVersion: '6.18.0', MinAPIVersion: '1.24', Os: 'linux' },
    },
    { Name: 'crun', Version: '1.8.1', Details: { GitCommit: 'f8a096be060b22ccd3d5f3ebe44108517fbf6c30' } },
    { Name: 'conmon', Version: '2.1.6', Details: { GitCommit: 'unknown' } },
  ],
  Version: '0.1.0', ApiVersion: '1.51', MinAPIVersion: '1.24', GitCommit: 'abc1234', GoVersion: 'v26.10.0', Os: 'linux', Arch: 'amd64',
  KernelVersion: '6.18.0', BuildTime: '2026-01-02T03:04:05.000000000+00:00',
}

export const info = {
  ID: 'b0a7c2de-0000-4000-8000-000000000001', Containers: 3, ContainersRunning: 1, ContainersPaused: 0, ContainersStopped: 2, Images: 5, Driver: 'overlayfs',
  DriverStatus: [['Backing Filesystem', 'extfs'], ['Supports d_type', 'true']], DockerRootDir: '/var/lib/berth',
  Plugins: { Volume: ['local'], Network: ['bridge', 'host', 'null'], Authorization: null, Log: ['k8s-file'] }, MemoryLimit: true, SwapLimit: false,
  CpuCfsPeriod: true, CpuCfsQuota: true, CPUShares: true, CPUSet: true, PidsLimit: true, OomKillDisable: false, IPv4Forwarding: true,
  BridgeNfIptables: true, BridgeNfIp6tables: true, Debug: true, NFd: 20, NGoroutines: 1, SystemTime: '2026-01-02T03:04:05.678901234Z', LoggingDriver: 'k8s-file',
  CgroupDriver: 'cgroupfs', CgroupVersion: '2', NEventsListener: 0, KernelVersion: '6.18.0', OperatingSystem: 'Debian GNU/Linux 12 (bookworm)',
  OSVersion: '12', OSType: 'linux', Architecture: 'x86_64', NCPU: 2, MemTotal: 8345678901, IndexServerAddress: 'https://index.docker.io/v1/',
  RegistryConfig: {
    AllowNondistributableArtifactsCIDRs: null, AllowNondistributableArtifactsHostnames: null, InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8'],
    IndexConfigs: {
      'docker.io': { Name: 'docker.io', Mirrors: [], Secure: true, Official: true },
      'registry.example:5000': { Name: 'registry.example:5000', Mirrors: [], Secure: false, Official: false },
    },
    Mirrors: ['https://mirror.example/'],
  },
  GenericResources: null, HttpProxy: '', HttpsProxy: 'http://proxy:3128', NoProxy: 'localhost', Name: 'host1', Labels: ['zone=a'], ExperimentalBuild: false,
  ServerVersion: '0.1.0', Runtimes: { crun: { path: '/usr/bin/crun' }, runc: { path: 'runc' } }, DefaultRuntime: 'crun',
  Swarm: { NodeID: '', NodeAddr: '', LocalNodeState: 'inactive', ControlAvailable: false, Error: '', RemoteManagers: null }, LiveRestoreEnabled: true,
  Isolation: '', InitBinary: 'catatonit', ContainerdCommit: { ID: '', Expected: '' }, RuncCommit: { ID: 'v1.8.1', Expected: '' }, InitCommit: { ID: '', Expected: '' },
  SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'], DefaultAddressPools: [{ Base: '172.17.0.0/12', Size: 16 }],
  FirewallBackend: { Driver: 'nftables' }, CDISpecDirs: ['/etc/cdi', '/var/run/cdi'], Warnings: ['WARNING: No swap limit support'],
}

export const top = { Titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'], Processes: [['root', '4242', '1', '0', '03:04', '?', '00:00:00', 'nginx: master process nginx -g daemon off;'], ['nobody', '4300', '4242', '0', '03:04', '?', '00:00:00', 'nginx: worker']] }
