import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { turnsDuring } from '../../../test/helpers/turns.ts'
import { containerDevices } from './devices.ts'

test('containerDevices() gives a device node and its rule', async () => {
  const { devices, rules } = await containerDevices({
    Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/hole', CgroupPermissions: 'r' }],
    DeviceCgroupRules: ['c 10:* rw'],
  })
  const [device] = devices
  assert.deepEqual([device?.path, device?.type, device?.major, device?.minor], ['/dev/hole', 'c', 1, 3])
  assert.deepEqual(rules, [
    { allow: true, type: 'c', major: 1, minor: 3, access: 'r' },
    { allow: true, type: 'c', major: 10, access: 'rw' },
  ])
})

test('containerDevices() gives a privileged container the devices of the host', async () => {
  const { devices, rules } = await containerDevices({
    Privileged: true,
    Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/hole' }],
  })
  const paths = devices.map(({ path }) => path)
  for (const path of ['/dev/null', '/dev/zero', '/dev/hole']) assert.ok(paths.includes(path), path)
  assert.deepEqual(rules, [])
})

test('containerDevices() refuses a path without devices, and lets other work run during the search', async (t) => {
  const directory = mkdtempSync('/tmp/b-cd-')
  t.after(() => rmSync(directory, { recursive: true }))
  for (let at = 0; at < 2000; at++) {
    mkdirSync(join(directory, `d${at}`))
    writeFileSync(join(directory, `d${at}`, 'file'), '')
  }
  const Devices = [{ PathOnHost: directory }]
  const turns = await turnsDuring(() => assert.rejects(containerDevices({ Devices }), /not a device node/))
  assert.notEqual(turns, 0)
})
