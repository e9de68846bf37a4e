import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeCreateBody, decodeUpdateBody } from './create-body.ts'
import { decodeConnect, decodeCreate } from './network-bodies.ts'

const refused = (message: string) => ({ kind: 'invalidArgument', message })

function create(hostConfig: object, config: object = {}, endpoints: unknown = {}): () => unknown {
  const body = { Image: 'a', ...config, HostConfig: hostConfig, NetworkingConfig: { EndpointsConfig: endpoints } }
  return () => decodeCreateBody(body)
}

test('a null inside a list or a map is refused, with the exact place', () => {
  for (const [hostConfig, place, type] of [
    [{ Mounts: [{ Target: '/a' }, null] }, 'HostConfig.Mounts[1]', 'a struct'],
    [
      { Mounts: [{ TmpfsOptions: { Options: [['a'], null] } }] },
      'HostConfig.Mounts[0].TmpfsOptions.Options[1]',
      'a []string',
    ],
    [{ PortBindings: { '80/tcp': [null] } }, 'HostConfig.PortBindings["80/tcp"][0]', 'a struct'],
    [{ Ulimits: [null] }, 'HostConfig.Ulimits[0]', 'a struct'],
    [{ BlkioWeightDevice: [null] }, 'HostConfig.BlkioWeightDevice[0]', 'a struct'],
    [{ BlkioDeviceReadBps: [null] }, 'HostConfig.BlkioDeviceReadBps[0]', 'a struct'],
    [{ Tmpfs: { '/run': null } }, 'HostConfig.Tmpfs["/run"]', 'a string'],
    [{ Devices: [null] }, 'HostConfig.Devices[0]', 'a struct'],
    [{ DeviceRequests: [{ Capabilities: [null] }] }, 'HostConfig.DeviceRequests[0].Capabilities[0]', 'a []string'],
    [{ LogConfig: { Config: { tag: null } } }, 'HostConfig.LogConfig.Config["tag"]', 'a string'],
    [{ Dns: [null] }, 'HostConfig.Dns[0]', 'a string'],
    [{ ConsoleSize: [null] }, 'HostConfig.ConsoleSize[0]', 'an int64'],
  ] as const) {
    assert.throws(create(hostConfig), refused(`invalid JSON: ${place} is null, not ${type}`))
  }
  assert.throws(
    () => decodeCreate({ IPAM: { Config: [null] } }),
    refused('invalid JSON: CreateRequest.IPAM.Config[0] is null, not a struct'),
  )
})

test('a null has a meaning where Docker gives it one', () => {
  const body = {
    Image: 'a',
    Env: null,
    ExposedPorts: { '80/tcp': null },
    HostConfig: { Mounts: null, PortBindings: { '80/tcp': null } },
    NetworkingConfig: { EndpointsConfig: { net: null } },
  }
  assert.deepEqual(decodeCreateBody(body), {
    config: { Image: 'a', ExposedPorts: { '80/tcp': {} } },
    hostConfig: { PortBindings: { '80/tcp': null } },
    networkingConfig: { EndpointsConfig: { net: {} } },
  })
})

test('a text that is too long is refused, with its place and the limit', () => {
  const long = 'é'.repeat(100_000)
  const text = (place: string, most: number) => refused(`${place} is too long: it has 200000 bytes, at most ${most}`)
  assert.throws(create({ CgroupParent: long }), text('HostConfig.CgroupParent', 4095))
  assert.throws(
    create({ Devices: [{ PathOnHost: '/dev/null', CgroupPermissions: long }] }),
    text('HostConfig.Devices[0].CgroupPermissions', 16),
  )
  assert.throws(create({}, { Cmd: ['echo', long] }), text('ContainerCreateRequest.Cmd[1]', 131_071))
  assert.throws(create({}, { User: long }), text('ContainerCreateRequest.User', 1024))
  assert.throws(create({ Sysctls: { [long]: '1' } }), text('a key of HostConfig.Sysctls', 4095))
  assert.throws(
    create({}, {}, { net: { Aliases: [long] } }),
    text('NetworkingConfig.EndpointsConfig["net"].Aliases[0]', 1024),
  )
  assert.throws(() => decodeUpdateBody({ CpusetCpus: long }), text('UpdateConfig.CpusetCpus', 1024))
  assert.throws(() => decodeConnect({ Container: long }), text('ConnectOptions.Container', 1024))
  assert.doesNotThrow(create({}, { Cmd: ['echo', 'a'.repeat(131_071)], Labels: { a: long } }))
})

test('a NUL byte is refused in every text', () => {
  const refusal = (place: string) => refused(`${place} contains a NUL byte`)
  assert.throws(create({ Binds: ['/a\0:/b'] }), refusal('HostConfig.Binds[0]'))
  assert.throws(create({}, { Labels: { a: '\0' } }), refusal('ContainerCreateRequest.Labels["a"]'))
  assert.throws(create({ Tmpfs: { '/a\0': '' } }), refusal('a key of HostConfig.Tmpfs'))
})
