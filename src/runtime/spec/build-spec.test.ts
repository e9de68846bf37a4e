import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import type { OciSeccomp, OciSpec } from '../../oci/index.ts'
import { buildEnv, buildSpec, formatSpec, type SpecHost, type SpecInput } from '../index.ts'
import { runtimeError } from '../programs/runtime-errors.ts'
import { capabilitiesOfMask, defaultCapabilities, resolveCapabilities } from '../security/capabilities.ts'
import { defaultSeccompProfile } from '../security/default-seccomp.ts'
import { parseSeccompProfile, resolveSeccomp } from '../security/seccomp-profile.ts'
import { commonSyscalls } from '../security/seccomp-syscalls.ts'
import { resolveUser } from './user.ts'

const everything = capabilitiesOfMask('1ffffffffff')
const host: SpecHost = { cgroupVersion: 2, arch: 'amd64', kernelRelease: '6.1.0-18', capabilities: everything }
const input = {
  process: { args: ['sh'], env: ['A=b'], cwd: '', user: { uid: 0, gid: 0 }, terminal: false, rlimits: [] },
  files: { rootfs: '/r', readonlyRootfs: false, binds: [], tmpfs: [] },
  namespaces: { network: { path: '/ns' }, pid: 'private', ipc: 'private', uts: 'private', hostname: 'h' },
  security: {
    privileged: false,
    capabilities: { add: [], drop: [] },
    seccomp: 'default',
    noNewPrivileges: false,
  },
  resources: { limits: {}, cgroupsPath: '/berth/x' },
} as const satisfies SpecInput

/** The spec of the plain container above, with changes in its parts. */
function build(
  changes: { readonly [Part in keyof SpecInput]?: Partial<SpecInput[Part]> } = {},
  on = host,
): OciSpec & { linux: { seccomp?: OciSeccomp } } {
  const changed: SpecInput = {
    process: { ...input.process, ...changes.process },
    files: { ...input.files, ...changes.files },
    namespaces: { ...input.namespaces, ...changes.namespaces },
    security: { ...input.security, ...changes.security },
    resources: { ...input.resources, ...changes.resources },
  }
  return JSON.parse(formatSpec(buildSpec(changed, on)))
}

describe('buildSpec', () => {
  it("gives Docker's defaults", () => {
    const { process, linux, mounts, hostname, root } = build()
    assert.equal(process.cwd, '/')
    assert.equal(process.capabilities.bounding.length, 14)
    assert.deepEqual(process.capabilities.inheritable, [])
    assert.equal(hostname, 'h')
    assert.deepEqual(root, { path: '/r', readonly: false })
    assert.ok(linux.maskedPaths?.includes('/proc/kcore') && linux.readonlyPaths?.includes('/proc/sys'))
    assert.equal(linux.seccomp?.defaultAction, 'SCMP_ACT_ERRNO')
    assert.deepEqual(linux.resources, { devices: linux.resources.devices })
    const shm = mounts.find(({ destination }) => destination === '/dev/shm')
    assert.ok(shm?.options?.includes('size=67108864'))
    assert.ok(mounts.find(({ destination }) => destination === '/sys')?.options?.includes('ro'))
  })

  it('creates or joins namespaces; the cgroup one depends on the version', () => {
    const types = (on: SpecHost) => build({}, on).linux.namespaces.map(({ type, path = '' }) => type + path)
    assert.deepEqual(types(host), ['mount', 'network/ns', 'uts', 'pid', 'ipc', 'cgroup'])
    assert.deepEqual(types({ ...host, cgroupVersion: 1 }), ['mount', 'network/ns', 'uts', 'pid', 'ipc'])
    const { linux, hostname } = build({ namespaces: { network: 'host', pid: 'host', ipc: 'host', uts: 'host' } })
    assert.deepEqual(
      linux.namespaces.map(({ type }) => type),
      ['mount', 'cgroup'],
    )
    assert.equal(hostname, undefined)
  })

  it('sets the AppArmor profile and the SELinux labels', () => {
    const labels = { process: 'u:r:t:s0:c1,c2', mount: 'u:r:f:s0:c1,c2' }
    const { process, linux } = build({ security: { appArmorProfile: 'docker-default', labels } })
    assert.equal(process.apparmorProfile, 'docker-default')
    assert.deepEqual([process.selinuxLabel, linux.mountLabel], ['u:r:t:s0:c1,c2', 'u:r:f:s0:c1,c2'])
    const unconfined = build({ security: { labels: { ...labels, process: '' } } })
    assert.deepEqual([unconfined.process.selinuxLabel, unconfined.linux.mountLabel], [undefined, 'u:r:f:s0:c1,c2'])
    assert.ok(!('mountLabel' in build().linux) && !('apparmorProfile' in build().process))
  })

  it('gives a privileged container all capabilities and devices, and no filter', () => {
    const { process, linux, mounts } = build({ security: { privileged: true } })
    assert.equal(process.capabilities.bounding.length, everything.length)
    assert.equal(linux.seccomp, undefined)
    assert.equal(linux.maskedPaths, undefined)
    assert.deepEqual(linux.resources.devices, [{ allow: true, access: 'rwm' }])
    assert.ok(mounts.find(({ destination }) => destination === '/sys')?.options?.includes('rw'))
  })

  it("translates limits into the runtime's form", () => {
    const { linux } = build({
      resources: { limits: { memoryBytes: 1000, nanoCpus: 1_500_000_000, pidsLimit: 5, cpusetCpus: '0' } },
    })
    assert.deepEqual(linux.resources.memory, { limit: 1000, swap: 2000 })
    assert.deepEqual(linux.resources.cpu, { quota: 150_000, period: 100_000, cpus: '0' })
    assert.deepEqual(linux.resources.pids, { limit: 5 })
    const unlimitedSwap = build({ resources: { limits: { memoryBytes: 1000, memorySwapBytes: -1 } } })
    assert.deepEqual(unlimitedSwap.linux.resources.memory, { limit: 1000, swap: -1 })
  })

  it('mounts parents before children, replacing defaults of the same place', () => {
    const bind = (destination: string) => ({ source: '/s', destination, readonly: true })
    const { mounts } = build({
      files: {
        binds: [bind('/a/b'), bind('/a'), bind('/dev/shm')],
        tmpfs: [{ destination: '/t', options: ['exec', 'size=1m'] }],
      },
      process: { init: '/usr/bin/tini' },
    })
    const places = mounts.map(({ destination }) => destination)
    assert.ok(places.indexOf('/a') < places.indexOf('/a/b'))
    assert.equal(places.filter((place) => place === '/dev/shm').length, 1)
    assert.deepEqual(mounts.find(({ destination }) => destination === '/a')?.options, ['rbind', 'ro', 'rprivate'])
    assert.deepEqual(mounts.find(({ destination }) => destination === '/t')?.options, [
      'nosuid',
      'nodev',
      'exec',
      'size=1m',
    ])
    assert.equal(places.at(-1), '/sbin/docker-init')
  })

  it('limits block devices, real-time and TCP buffers, in the v1 form that runtimes translate for v2', () => {
    const rates = [{ major: 8, minor: 0, rate: 1024 }]
    const { linux } = build({
      resources: {
        limits: {
          blkioWeight: 300,
          blockDevices: { throttleReadBpsDevice: rates },
          cpuRealtimePeriod: 1000,
          cpuRealtimeRuntime: 500,
          kernelMemoryTcpBytes: 4096,
        },
      },
    })
    const { blockIO, cpu, memory } = linux.resources
    assert.deepEqual(blockIO, { weight: 300, throttleReadBpsDevice: rates })
    assert.deepEqual(cpu, { realtimePeriod: 1000, realtimeRuntime: 500 })
    assert.deepEqual(memory, { kernelTCP: 4096 })
  })

  it('binds without submounts, or with read-only submounts', () => {
    const bind = (more: object) =>
      build({ files: { binds: [{ source: '/s', destination: '/a', readonly: true, ...more }] } })
    const options = (more: object) => bind(more).mounts.find(({ destination }) => destination === '/a')?.options
    assert.deepEqual(options({ recursiveReadonly: true }), ['rbind', 'ro', 'rro', 'rprivate'])
    assert.deepEqual(options({ recursiveReadonly: true, nonRecursive: true }), ['bind', 'ro', 'private'])
  })

  it('puts a compiled filter in place of the rules', () => {
    const built = buildSpec({ ...input, annotations: { a: 'b' } }, host)
    const text = formatSpec(built, {
      annotation: 'x.y',
      data: 'AAAA',
      seccompJson: '{"defaultAction":"SCMP_ACT_ERRNO"}',
    })
    const spec = JSON.parse(text) as ReturnType<typeof build>
    assert.deepEqual(spec.annotations, { a: 'b', 'x.y': 'AAAA' })
    assert.deepEqual(spec.linux.seccomp, { defaultAction: 'SCMP_ACT_ERRNO' })
    assert.equal(spec.linux.cgroupsPath, '/berth/x')
  })

  it('takes less than 2 ms', () => {
    build()
    // Processor time, because other processes may run in between.
    const before = process.cpuUsage()
    for (let count = 0; count < 200; count++) formatSpec(buildSpec(input, host))
    assert.ok(process.cpuUsage(before).user / 200 < 2000)
  })
})

describe('buildEnv', () => {
  it("lets the container override and remove Docker's variables", () => {
    const base = { hostname: 'h', terminal: true }
    assert.deepEqual(buildEnv(['B=1=2'], base).slice(1), ['HOSTNAME=h', 'TERM=xterm', 'B=1=2'])
    assert.deepEqual(buildEnv(['PATH=/x', 'TERM', 'HOSTNAME=z', 'A=1', 'A=2'], base), ['PATH=/x', 'HOSTNAME=z', 'A=2'])
  })
})

describe('resolveCapabilities', () => {
  const resolve = (add: string[], drop: string[], available = everything) =>
    resolveCapabilities({ add, drop, privileged: false, available })

  it('adds and drops', () => {
    assert.deepEqual(resolve([], []), defaultCapabilities)
    assert.ok(resolve(['net_admin'], ['CAP_CHOWN']).includes('CAP_NET_ADMIN'))
    assert.ok(!resolve(['net_admin'], ['CAP_CHOWN']).includes('CAP_CHOWN'))
    assert.deepEqual(resolve(['KILL'], ['ALL']), ['CAP_KILL'])
    assert.equal(resolve(['ALL'], ['MKNOD']).length, everything.length - 1)
    assert.deepEqual(resolve(['ALL'], [], ['CAP_KILL']), ['CAP_KILL'])
  })

  it('refuses names that do not exist or that the host can not grant', () => {
    assert.throws(() => resolve(['nonsense'], []), /unknown capability: "CAP_NONSENSE"/)
    assert.throws(() => resolve([], ['nonsense']), /CapDrop/)
    assert.throws(() => resolve(['SYS_ADMIN'], [], ['CAP_KILL']), /not supported/)
  })
})

describe('resolveSeccomp', () => {
  const target = { arch: 'amd64', kernelRelease: '6.1.0', capabilities: defaultCapabilities }
  const rulesOf = (name: string, changes = {}) =>
    resolveSeccomp(defaultSeccompProfile, { ...target, ...changes }).syscalls?.filter(({ names }) =>
      names.includes(name),
    ) ?? []

  it('contains every common call once', () => {
    assert.equal(commonSyscalls.length, 361)
    assert.equal(new Set(commonSyscalls).size, 361)
    const digest = createHash('sha256')
      .update([...commonSyscalls].sort().join())
      .digest('hex')
    assert.equal(digest.slice(0, 16), '9f641224b3147541')
  })

  it('applies conditions', () => {
    assert.equal(rulesOf('mount').length, 0)
    assert.equal(rulesOf('mount', { capabilities: ['CAP_SYS_ADMIN'] }).length, 1)
    assert.equal(rulesOf('clone3')[0]?.errnoRet, 38)
    assert.equal(rulesOf('clone3', { capabilities: ['CAP_SYS_ADMIN'] })[0]?.action, 'SCMP_ACT_ALLOW')
    assert.equal(rulesOf('clone')[0]?.args?.[0]?.index, 0)
    assert.equal(rulesOf('clone', { arch: 's390x' })[0]?.args?.[0]?.index, 1)
    assert.equal(rulesOf('ptrace', { kernelRelease: '4.4.0' }).length, 0)
    assert.equal(rulesOf('ptrace').length, 1)
    assert.equal(rulesOf('arch_prctl', { arch: 'arm64' }).length, 0)
    assert.deepEqual(resolveSeccomp(defaultSeccompProfile, { ...target, arch: 'arm64' }).architectures, [
      'SCMP_ARCH_AARCH64',
      'SCMP_ARCH_ARM',
    ])
  })

  it("takes profiles in Docker's form and refuses others", () => {
    const text =
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"chmod","action":"SCMP_ACT_ERRNO"},{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","includes":{"caps":["CAP_BPF"]}}]}'
    const profile = parseSeccompProfile(text)
    assert(profile !== undefined)
    assert.deepEqual(resolveSeccomp(profile, target), {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['chmod'], action: 'SCMP_ACT_ERRNO' }],
    })
    assert.equal(parseSeccompProfile('{}'), undefined)
  })

  for (const [why, profile, message] of [
    ['is no JSON', '{', /^BerthError: Decoding seccomp profile failed/],
    ['is a list', '[]', /cannot unmarshal array into Go value of type seccomp.Seccomp/],
    ['has rules and no default', '{"syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}', /defaultAction/],
    ['has an unknown default action', '{"defaultAction":"x"}', /string x is not a valid action for seccomp/],
    ['has a rule without action', '{"defaultAction":"SCMP_ACT_LOG","syscalls":[{}]}', /a rule without action/],
    [
      'has name and names',
      '{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_ALLOW"}]}',
      /'name' and 'names' were specified/,
    ],
    [
      'has architectures twice',
      '{"defaultAction":"SCMP_ACT_LOG","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}',
      /'architectures' and 'archMap' were specified/,
    ],
    [
      'has a kernel that is none',
      '{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["a"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"x"}}]}',
      /invalid kernel version: "x", expected "<kernel>.<major>"/,
    ],
  ] as const) {
    it(`refuses a profile that ${why}`, () => assert.throws(() => parseSeccompProfile(profile), message))
  }

  it('checks conditions against capabilities, architecture and kernel', () => {
    const rule = (name: string, conditions: object) => ({ names: [name], action: 'SCMP_ACT_ERRNO', ...conditions })
    const text = JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      listenerPath: '/agent.sock',
      syscalls: [
        rule('caps', { includes: { caps: ['CAP_CHOWN'] } }),
        rule('no-caps', { excludes: { caps: ['CAP_CHOWN'] } }),
        rule('arch', { includes: { arches: ['amd64', 'arm64'] } }),
        rule('no-arch', { excludes: { arches: ['amd64', 'arm64'] } }),
        rule('kernel', { includes: { minKernel: '2.6' } }),
        rule('no-kernel', { includes: { minKernel: '99.0' } }),
        rule('old-kernel', { excludes: { minKernel: '2.6' } }),
        { action: 'SCMP_ACT_KILL' },
      ],
    })
    const profile = parseSeccompProfile(text)
    assert(profile !== undefined)
    const resolved = resolveSeccomp(profile, { ...target, capabilities: ['CAP_CHOWN'] })
    assert.deepEqual(
      resolved.syscalls?.flatMap(({ names }) => names),
      ['caps', 'arch', 'kernel'],
    )
    assert.equal(resolved.listenerPath, '/agent.sock')
  })
})

describe('resolveUser', () => {
  const files = {
    passwd: 'root:x:0:0:root:/root:/bin/sh\n# comment\nbob:x:1000:100:Bob:/home/bob:/bin/sh\n',
    group: 'root:x:0:\nusers:x:100:\nvideo:x:44:bob,ann\naudio:x:29:bob\n',
  }

  it('resolves names and numbers', () => {
    assert.deepEqual(resolveUser('', files), { uid: 0, gid: 0, additionalGids: [0], home: '/root' })
    assert.deepEqual(resolveUser('bob', files), {
      uid: 1000,
      gid: 100,
      additionalGids: [100, 44, 29],
      home: '/home/bob',
    })
    assert.deepEqual(resolveUser('1000', files).gid, 100)
    assert.deepEqual(resolveUser('bob:video', files), { uid: 1000, gid: 44, additionalGids: [44], home: '/home/bob' })
    assert.deepEqual(resolveUser('55:66', {}), { uid: 55, gid: 66, additionalGids: [66], home: undefined })
    assert.deepEqual(resolveUser('', {}, ['7']).additionalGids, [0, 7])
    assert.deepEqual(resolveUser('', files, ['video']).additionalGids, [0, 44])
  })

  it('names the user or group that it could not find', () => {
    assert.throws(
      () => resolveUser('eve', files),
      /^BerthError: unable to find user eve: no matching entries in passwd file$/,
    )
    assert.throws(() => resolveUser('bob:eve', files), /unable to find group eve: no matching entries in group file/)
    for (const user of ['4294967295', '-1', '0:-1', '0:2147483648']) {
      assert.throws(() => resolveUser(user, files), /uids and gids must be in range/, user)
    }
    assert.throws(() => resolveUser('0', files, ['-5']), /uids and gids must be in range/)
  })

  it('takes a number for an id, whatever is named like it', () => {
    const hostile = {
      passwd: '1000:x:0:0::/root:\nann:x:1000:1000::/home/ann:\nbob:x:1000:7::/home/bob:\n',
      group: '50:x:0:\n1000:x:0:\n',
    }
    const ann = { uid: 1000, gid: 1000, additionalGids: [1000], home: '/home/ann' }
    assert.deepEqual(resolveUser('1000', hostile), ann)
    assert.deepEqual(resolveUser('ann:50', hostile, ['1000']), { ...ann, gid: 50, additionalGids: [50, 1000] })
    // The home belongs to the id.
    assert.equal(resolveUser('bob', hostile).home, '/home/ann')
  })

  it('passes over lines that are none', () => {
    const hostile = { passwd: 'a:x:99999999999:1::/:\nb:x:-3:1::/:\n:::\nc:x:7:8::/c:\n', group: 'g:x:1e3:\nh:x:9:c\n' }
    assert.deepEqual(resolveUser('c', hostile), { uid: 7, gid: 8, additionalGids: [8, 9], home: '/c' })
    assert.throws(() => resolveUser('a', hostile), /unable to find user a/)
    assert.throws(() => resolveUser('c:g', hostile), /unable to find group g/)
  })
})

describe('runtimeError', () => {
  it("knows runc's texts as well as crun's", () => {
    const code = (text: string, command = 'foo') => runtimeError(text, { work: 'create', command }).details.exitCode
    assert.equal(code('runc create failed: exec: "foo": executable file not found in $PATH'), 127)
    assert.equal(code('exec: "/foo": stat /foo: no such file or directory', '/foo'), 127)
    assert.equal(code('exec: "/foo": permission denied', '/foo'), 126)
    assert.equal(code('exec: "/foo": is a directory', '/foo'), 126)
    assert.equal(code('something else'), undefined)
  })
})
