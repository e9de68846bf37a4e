import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerConfig, HostConfig } from '../../api/index.ts'
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
test('refuseUnsupported() accepts the defaults of the CLI', () => {
  refuseUnsupported(cliConfig, cliHostConfig)
  refuseUnsupported({ Image: 'a', Healthcheck: { Test: ['NONE'] } }, {})
  refuseUnsupported({ Image: 'a', Healthcheck: {} }, { StorageOpt: {}, MemorySwappiness: null })
})

test('refuseUnsupported() names the field that it refuses, and the reason', () => {
  const wrong: readonly (readonly [HostConfig, RegExp])[] = [
    [{ CpuCount: 2 }, /^HostConfig\.CpuCount 2: it is for Windows containers only$/],
    [{ UsernsMode: 'keep-id' }, /^invalid user namespace mode: keep-id$/],
    [{ PidMode: 'container:' }, /invalid PID mode: container:$/],
    [{ Cgroup: 'container:x' }, /^HostConfig\.Cgroup .*another's control group/],
  ]
  for (const [hostConfig, message] of wrong) {
    assert.throws(() => refuseUnsupported({}, hostConfig), { kind: 'invalidArgument', message })
  }
})
