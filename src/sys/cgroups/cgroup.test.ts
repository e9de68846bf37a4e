import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { MountInfo } from '../mounts/mount-table.ts'
import { type Cgroups, cgroupRoot, classify } from './cgroup.ts'
import { freezeCgroup, isCgroupFrozen, thawCgroup } from './cgroup-freezer.ts'

const root = mkdtempSync('/tmp/b-cgroup-')
after(() => rmSync(root, { recursive: true, force: true }))

function mounted(mountPoint: string, type: string, superOptions: readonly string[] = ['rw']): MountInfo {
  return { mountPoint, type, superOptions } as MountInfo
}

test('classify: a cgroup2 at the root is v2, whatever else is mounted', () => {
  const { version, layout } = classify([mounted(cgroupRoot, 'cgroup2')])
  assert.deepEqual([version, layout], [2, 'v2'])
})

test('classify: a cgroup2 beside v1 hierarchies is hybrid, and v1 limits containers', () => {
  const found = classify([
    mounted(`${cgroupRoot}/memory`, 'cgroup', ['rw', 'memory']),
    mounted(`${cgroupRoot}/cpu,cpuacct`, 'cgroup', ['rw', 'cpu', 'cpuacct']),
    mounted(`${cgroupRoot}/systemd`, 'cgroup', ['rw', 'xattr', 'name=systemd']),
    mounted(join(root, 'unified'), 'cgroup2'),
  ])
  assert.deepEqual([found.version, found.layout], [1, 'hybrid'])
  assert.deepEqual(found.controllers, ['memory', 'cpu', 'cpuacct'])
})

test('classify: nothing mounted', () => {
  assert.equal(classify([]).layout, 'none')
})

/** A group of v2 as plain files, which keep what would be written to the kernel. */
function v2Group(name: string, events: string): Cgroups {
  mkdirSync(join(root, name))
  writeFileSync(join(root, name, 'cgroup.freeze'), '0\n')
  writeFileSync(join(root, name, 'cgroup.events'), events)
  const controllers = ['cpu', 'memory', 'pids']
  return { version: 2, layout: 'v2', controllers, hierarchies: [{ path: root, version: 2, controllers }] }
}

test('freezeCgroup and thawCgroup use cgroup.freeze of v2, and wait for cgroup.events', async () => {
  const cgroups = v2Group('frozen', 'populated 1\nfrozen 1\n')
  await freezeCgroup('/frozen', cgroups)
  assert.equal(readFileSync(join(root, 'frozen/cgroup.freeze'), 'utf8').trim(), '1')
  assert.equal(isCgroupFrozen('/frozen', cgroups), true)
  thawCgroup('/frozen', cgroups)
  assert.equal(isCgroupFrozen('/frozen', cgroups), false)
})

test('freezeCgroup rejects for a missing group of v2', async () => {
  await assert.rejects(freezeCgroup('/gone', v2Group('other', '')), /no control group \/gone/)
})
