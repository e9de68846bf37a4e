import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerConfig, HostConfig, NetworkingConfig } from '../../api/index.ts'
import { refuseUnsupported } from './unsupported.ts'

/** What the official CLI 28 sends for `docker create busybox` (values other than zero and null kept). */
const cliConfig: ContainerConfig = { Cmd: ['sh'], Image: 'busybox', Volumes: {}, Labels: {}, Env: null, OnBuild: null }
const cliHostConfig: HostConfig = {
  LogConfig: { Type: '', Config: {} },
  NetworkMode: 'default',
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  ConsoleSize: [0, 0],
  Dns: [],
  BlkioWeightDevice: [],
  Devices: [],
  DeviceCgroupRules: null,
  CgroupParent: '',
  Links: null,
  UsernsMode: '',
  Isolation: '',
  MemorySwappiness: -1,
  OomKillDisable: false,
  PidsLimit: 0,
  CpuCount: 0,
  VolumeDriver: '',
  MaskedPaths: null,
  ReadonlyPaths: null,
}
const cliNetworking: NetworkingConfig = {
  EndpointsConfig: { default: { IPAMConfig: null, Links: null, Aliases: null, MacAddress: '', GwPriority: 0 } },
}

test('refuseUnsupported() lets the defaults of the CLI pass', () => {
  refuseUnsupported(cliConfig, cliHostConfig, cliNetworking)
  refuseUnsupported({ Image: 'a', Healthcheck: { Test: ['NONE'] } }, {}, {})
  refuseUnsupported(
    { Image: 'a', Healthcheck: {} },
    { StorageOpt: {}, MemorySwappiness: null },
    { EndpointsConfig: {} },
  )
  refuseUnsupported({ Image: 'a' }, {}, { EndpointsConfig: { bridge: { IPAMConfig: {}, Aliases: [] } } })
})

const refused: readonly (readonly [string, ContainerConfig, HostConfig, NetworkingConfig?])[] = [
  ['NetworkingConfig.EndpointsConfig["other"]', {}, {}, { EndpointsConfig: { other: {} } }],
]

for (const [name, config, hostConfig, networking = {}] of refused) {
  test(`refuseUnsupported() names ${name}`, () => {
    assert.throws(
      () => refuseUnsupported(config, hostConfig, networking),
      (error: Error & { kind?: string }) => {
        assert.equal(error.kind, 'notImplemented')
        assert.ok(error.message.startsWith(name), error.message)
        assert.ok(error.message.endsWith(' is not implemented in this version of Berth'))
        return true
      },
    )
  })
}

test('refuseUnsupported() answers as Docker to an address or alias on a predefined network', () => {
  const bridge = (settings: object) => ({ EndpointsConfig: { bridge: settings } })
  assert.throws(
    () => refuseUnsupported({}, {}, bridge({ IPAMConfig: { IPv4Address: '1.2.3.4' } })),
    /user specified IP address is supported on user defined networks only/,
  )
  assert.throws(() => refuseUnsupported({}, {}, bridge({ Aliases: ['a'] })), /network-scoped alias is supported only/)
})

test('refuseUnsupported() says why a field can not be honoured', () => {
  const wrong: readonly (readonly [HostConfig, RegExp])[] = [
    [{ CpuCount: 2 }, /^HostConfig\.CpuCount 2: it is for Windows containers only$/],
    [{ UsernsMode: 'keep-id' }, /^HostConfig\.UsernsMode "keep-id": invalid user namespace mode: keep-id$/],
    [{ PidMode: 'container:' }, /invalid PID mode: container:$/],
    [{ Cgroup: 'container:x' }, /^HostConfig\.Cgroup .*another's control group/],
  ]
  for (const [hostConfig, message] of wrong) {
    assert.throws(() => refuseUnsupported({}, hostConfig, {}), { kind: 'invalidArgument', message })
  }
})
