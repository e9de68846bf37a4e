/** `inspect`, `image inspect`, `info` and `version`, compared field by field with Debian's dockerd, at its API
 *  version. Intended differences are listed here, and in docs/api-coverage.md with their reasons. */
import assert from 'node:assert/strict'
import { globSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { requestOverSocket } from '../../helpers/daemons/api.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { StockDocker } from '../../helpers/daemons/stock-docker.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { freePort } from '../../helpers/ports.ts'
import { removeCgroup } from '../../runner/leaks.ts'

let daemon: TestDaemon
let docker: StockDocker
let apiVersion: string
const cgroup = `/bt-inspect-${process.pid}`
/** Berth's value and Docker's. */
let sockets: readonly [string, string]

before(async () => {
  ;[daemon, docker] = await Promise.all([TestDaemon.start(), StockDocker.start()])
  sockets = [daemon.socket, join(docker.root, 's')]
  const archive = join(daemon.root, 'busybox.tar')
  await writeBusyboxArchive({ path: archive })
  await daemon.ok(['load', '-q', '-i', archive])
  await docker.ok(['load', '-q', '-i', archive])
  rmSync(archive)
  const { body } = await requestOverSocket<{ ApiVersion: string }>(sockets[1], 'GET', '/version')
  apiVersion = body.ApiVersion
})

after(async () => {
  await Promise.all([daemon?.[Symbol.asyncDispose](), docker?.[Symbol.asyncDispose]()])
  for (const path of globSync([`/sys/fs/cgroup${cgroup}`, `/sys/fs/cgroup/*${cgroup}`])) removeCgroup(path)
})

async function ask<T>(
  socket: string,
  method: string,
  path: string,
  body?: Readonly<Record<string, unknown>>,
): Promise<T> {
  const answer = await requestOverSocket<T>(socket, method, `/v${apiVersion}${path}`, body)
  assert(answer.status < 300, `${method} ${path}: ${answer.text}`)
  return answer.body
}

const second = 1_000_000_000
const mebibyte = 1024 * 1024

/** A request with 56 options. */
const request = (port: number) => ({
  Image: 'busybox',
  Hostname: 'here',
  Domainname: 'example.org',
  User: '1000:1000',
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  ExposedPorts: { '80/tcp': {}, '53/udp': {} },
  Tty: true,
  OpenStdin: true,
  StdinOnce: true,
  Env: ['A=b', 'C=d'],
  Cmd: ['sleep 1000'],
  Healthcheck: { Test: ['CMD', 'true'], Interval: 3600 * second, Timeout: 5 * second, Retries: 3, StartPeriod: second },
  Volumes: { '/anon': {} },
  WorkingDir: '/tmp',
  Entrypoint: ['/bin/sh', '-c'],
  Labels: { a: 'b' },
  StopSignal: 'SIGUSR1',
  StopTimeout: 7,
  HostConfig: {
    Binds: ['/usr:/host:ro', 'named:/named'],
    LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
    NetworkMode: 'none',
    PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
    CapAdd: ['NET_ADMIN', 'cap_sys_chroot'],
    CapDrop: ['MKNOD'],
    CgroupnsMode: 'private',
    Dns: ['192.0.2.1'],
    DnsOptions: ['ndots:2'],
    DnsSearch: ['example.org'],
    ExtraHosts: ['a:192.0.2.2'],
    GroupAdd: ['2000'],
    IpcMode: 'shareable',
    OomScoreAdj: 100,
    ReadonlyRootfs: true,
    SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'],
    Tmpfs: { '/run': 'size=1m' },
    ShmSize: 10 * mebibyte,
    Sysctls: { 'net.ipv4.ip_forward': '1' },
    CpuShares: 100,
    Memory: 100 * mebibyte,
    MemoryReservation: 50 * mebibyte,
    MemorySwap: 200 * mebibyte,
    NanoCpus: 500_000_000,
    CgroupParent: cgroup,
    CpusetCpus: '0',
    CpusetMems: '0',
    Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/other', CgroupPermissions: 'r' }],
    DeviceCgroupRules: ['c 1:3 rwm'],
    Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
    PidsLimit: 50,
    Mounts: [
      { Type: 'tmpfs', Target: '/mt', TmpfsOptions: { SizeBytes: 65536, Mode: 0o700 } },
      { Type: 'volume', Source: 'other', Target: '/mv', ReadOnly: true },
    ],
    Init: true,
    VolumeDriver: 'local',
    ConsoleSize: [24, 80],
  },
})

type Tree = Readonly<Record<string, unknown>>

/** The paths of the values that differ; root directories are masked. */
function differences(ours: unknown, theirs: unknown, path = ''): string[] {
  if (isTree(ours) && isTree(theirs)) {
    const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort()
    return names.flatMap((name) => differences(ours[name], theirs[name], path === '' ? name : `${path}.${name}`))
  }
  return JSON.stringify(masked(ours)) === JSON.stringify(masked(theirs)) ? [] : [path]
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null
}

function masked(value: unknown): unknown {
  if (typeof value !== 'string') return value
  return value
    .replaceAll(daemon.dataRoot, 'ROOT')
    .replaceAll(daemon.execRoot, 'EXEC')
    .replaceAll(join(docker.root, 'd'), 'ROOT')
    .replaceAll(join(docker.root, 'x'), 'EXEC')
    .replace(/[0-9a-f]{64}/g, 'ID')
    .replace(/^20\d\d-[\d:.T-]+Z$/, 'TIME')
    .replace(/netns\/[0-9a-f]{12}$/, 'netns/ID')
}

/** Fields of a container that differ from Docker's; docs/api-coverage.md says why. */
const containerExceptions = [
  'GraphDriver.Data.LowerDir',
  'GraphDriver.Data.MergedDir',
  'GraphDriver.Data.UpperDir',
  'GraphDriver.Data.WorkDir',
  'HostConfig.KernelMemory',
  'HostConfig.KernelMemoryTCP',
  'HostConfig.MaskedPaths',
  'HostConfig.Runtime',
  'ImageManifestDescriptor',
  'LogPath',
  'NetworkSettings.Networks.none.DNSNames',
  'NetworkSettings.Networks.none.GwPriority',
  'State.Pid',
]

async function inspected(socket: string, body: Tree): Promise<{ readonly created: Tree; readonly running: Tree }> {
  const { Id } = await ask<{ Id: string }>(socket, 'POST', '/containers/create', body)
  try {
    const created = await ask<Tree>(socket, 'GET', `/containers/${Id}/json`)
    await ask(socket, 'POST', `/containers/${Id}/start`)
    return { created, running: await ask<Tree>(socket, 'GET', `/containers/${Id}/json`) }
  } finally {
    await requestOverSocket(socket, 'DELETE', `/containers/${Id}?force=1&v=1`)
  }
}

test('inspect shows a container with 56 options as Docker does, created and running', async () => {
  const port = await freePort()
  const [ours, theirs] = [await inspected(sockets[0], request(port)), await inspected(sockets[1], request(port))]
  for (const state of ['created', 'running'] as const) {
    const [own, other] = [ours[state], theirs[state]].map(withoutNames)
    const found = differences(own, other).filter(
      (path) => !containerExceptions.some((known) => path === known || path.startsWith(`${known}.`)),
    )
    assert.deepEqual(
      found,
      [],
      `${state}: ${JSON.stringify(
        found.map((path) => [path, at(own, path), at(other, path)]),
        null,
        1,
      )}`,
    )
  }
})

/** Each engine invents its own name, and Docker lists mounts in no order. */
function withoutNames(tree: Tree): Tree {
  const mounts = tree.Mounts as readonly { readonly Destination: string }[]
  return { ...tree, Name: '', Mounts: mounts.toSorted((a, b) => (a.Destination < b.Destination ? -1 : 1)) }
}

function at(tree: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (isTree(value) ? value[name] : undefined), tree)
}

test('inspect shows a container without options as Docker does', async () => {
  const bare = { Image: 'busybox', HostConfig: { NetworkMode: 'none' } }
  const of = async (socket: string) => {
    const { Id } = await ask<{ Id: string }>(socket, 'POST', '/containers/create', bare)
    const shown = await ask<Tree>(socket, 'GET', `/containers/${Id}/json`)
    await requestOverSocket(socket, 'DELETE', `/containers/${Id}?force=1`)
    return withoutNames({ ...shown, Config: { ...(shown.Config as Tree), Hostname: '' } })
  }
  const found = differences(await of(sockets[0]), await of(sockets[1]))
  const known = [
    ...containerExceptions,
    // Later versions of Docker answer these as Berth does.
    'HostConfig.RestartPolicy.Name',
    'HostConfig.Dns',
    'HostConfig.DnsOptions',
    'HostConfig.DnsSearch',
    'HostConfig.PortBindings',
  ]
  assert.deepEqual(
    found.filter((path) => !known.some((name) => path === name || path.startsWith(`${name}.`))),
    [],
  )
})

test('inspect shows an image as Docker does', async () => {
  const [own, other] = [
    await ask<Tree>(sockets[0], 'GET', '/images/busybox/json'),
    await ask<Tree>(sockets[1], 'GET', '/images/busybox/json'),
  ]
  const known = ['GraphDriver.Data', 'Metadata.LastTagTime', 'Size', 'VirtualSize', 'ContainerConfig']
  const found = differences(own, other).filter(
    (path) => !known.some((name) => path === name || path.startsWith(`${name}.`)),
  )
  assert.deepEqual(found, [], JSON.stringify(found.map((path) => [path, at(own, path), at(other, path)])))
  assert.deepEqual(
    Object.keys(other).filter((key) => !(key in own)),
    [],
  )
})

test('info and version have every field that Docker has', async () => {
  for (const path of ['/info', '/version']) {
    const [own, other] = [await ask<Tree>(sockets[0], 'GET', path), await ask<Tree>(sockets[1], 'GET', path)]
    assert.deepEqual(
      Object.keys(other).filter((key) => !(key in own)),
      [],
      path,
    )
    // Members of a newer version are in the API definition of that version.
    const wrong = Object.keys(other).filter((key) => typeof own[key] !== typeof other[key])
    assert.deepEqual(wrong, [], path)
  }
})

test('docs/api-coverage.md lists the exceptions', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/api-coverage.md'), 'utf8')
  assert.deepEqual(
    containerExceptions.filter((name) => !page.includes(`\`${name}\``)),
    [],
  )
})
