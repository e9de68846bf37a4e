import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Cgroups } from './cgroup.ts'
import { isCgroupFrozen, thawCgroup } from './cgroup-freezer.ts'
import { clearPidsLimit, keepCgroupLimits } from './cgroup-limits.ts'

const root = mkdtempSync('/tmp/b-cg-')
after(() => rmSync(root, { recursive: true, force: true }))

/** A control group of plain files, as version 2 has them. */
function fakeGroup(name: string, files: Readonly<Record<string, string>>): Cgroups {
  mkdirSync(join(root, name))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, name, file), text)
  const controllers = ['memory', 'cpu', 'pids', 'io', 'cpuset']
  return { version: 2, layout: 'v2', controllers, hierarchies: [{ path: root, version: 2, controllers }] }
}

/** A plain file keeps the end of a longer text that was overwritten. */
const read = (name: string, file: string) => readFileSync(join(root, name, file), 'utf8').split('\n', 1)[0]

test('keepCgroupLimits() restores changed limits, with v2', () => {
  const before = { 'memory.max': 'max\n', 'pids.max': '50\n', 'cpu.max': 'max 100000\n', 'io.weight': 'default 100\n' }
  const cgroups = fakeGroup('kept', before)
  const restore = keepCgroupLimits('/kept', cgroups)
  writeFileSync(join(root, 'kept/memory.max'), '1000\n')
  writeFileSync(join(root, 'kept/cpu.max'), '5 10\n')
  clearPidsLimit('/kept', cgroups)
  assert.equal(read('kept', 'pids.max'), 'max')
  restore()
  assert.equal(read('kept', 'memory.max'), 'max')
  assert.equal(read('kept', 'cpu.max'), 'max 100000')
  assert.equal(read('kept', 'pids.max'), '50')
  assert.equal(read('kept', 'io.weight'), 'default 100')
})

test('isCgroupFrozen() and thawCgroup() with v2; a missing group is not frozen', () => {
  const cgroups = fakeGroup('frozen', { 'cgroup.freeze': '1\n' })
  assert.equal(isCgroupFrozen('/frozen', cgroups), true)
  thawCgroup('/frozen', cgroups)
  assert.equal(isCgroupFrozen('/frozen', cgroups), false)
  assert.equal(isCgroupFrozen('/none', cgroups), false)
})
