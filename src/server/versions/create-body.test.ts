import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeCreateBody } from '../requests/create-body.ts'
import { upgradeCreateBody } from './create-body.ts'

function upgrade(version: string, hostConfig: object, config: object = {}, endpoints: object = {}) {
  const body = { Image: 'a', ...config, HostConfig: hostConfig, NetworkingConfig: { EndpointsConfig: endpoints } }
  return upgradeCreateBody(decodeCreateBody(body), version)
}

test('upgradeCreateBody() makes defaults of old versions explicit', () => {
  assert.equal(upgrade('1.24', { AutoRemove: true }).hostConfig.AutoRemove, false)
  assert.equal(upgrade('1.25', { AutoRemove: true }).hostConfig.AutoRemove, true)
  assert.equal(upgrade('1.39', {}).hostConfig.IpcMode, 'shareable')
  assert.equal(upgrade('1.40', {}).hostConfig.IpcMode, undefined)
  assert.equal(upgrade('1.40', {}).hostConfig.CgroupnsMode, 'host')
  assert.equal(upgrade('1.41', {}).hostConfig.CgroupnsMode, undefined)
  assert.equal(upgrade('1.51', { KernelMemory: 5 }).hostConfig.KernelMemory, undefined)
  assert.equal(upgrade('1.51', { PidsLimit: -1 }).hostConfig.PidsLimit, null)
  assert.equal(upgrade('1.51', { PidsLimit: 5 }).hostConfig.PidsLimit, 5)
})

test('upgradeCreateBody() moves the MAC address into Config', () => {
  const mac = '02:42:00:00:00:01'
  assert.equal(upgrade('1.43', {}, { MacAddress: mac }).config.MacAddress, mac)
  assert.equal(upgrade('1.51', {}, {}, { bridge: { MacAddress: mac } }).config.MacAddress, mac)
  assert.throws(() => upgrade('1.51', {}, { MacAddress: 'other' }, { bridge: { MacAddress: mac } }), /must match/)
  // That of another network stays where it is; before 1.44 endpoints had none.
  const two = { a: {}, b: { MacAddress: mac } }
  assert.equal(upgrade('1.51', { NetworkMode: 'a' }, {}, two).config.MacAddress, undefined)
  assert.deepEqual(upgrade('1.51', { NetworkMode: 'a' }, {}, two).networkingConfig.EndpointsConfig, two)
  assert.deepEqual(upgrade('1.43', { NetworkMode: 'a' }, {}, two).networkingConfig.EndpointsConfig?.b?.MacAddress, '')
})
