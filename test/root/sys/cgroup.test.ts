import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { nullLogger } from '../../../src/base/index.ts'
import {
  cgroupPathOfPid,
  createCgroup,
  detectCgroups,
  dissolveCgroup,
  expectCgroupMove,
  killCgroup,
  listCgroups,
  prepareCgroups,
  readPids,
  removeCgroup,
  spawnProcess,
} from '../../../src/sys/index.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'
const parent = `/berth-test-${process.pid}`

function joinCgroup(path: string, pid: number): void {
  for (const hierarchy of detectCgroups().hierarchies) {
    const directory = join(hierarchy.path, path)
    // A new cpuset group of v1 accepts no process before it has CPUs and memory nodes.
    if (existsSync(join(directory, 'cpuset.cpus')) && hierarchy.version === 1) continue
    writeFileSync(join(directory, 'cgroup.procs'), String(pid))
  }
}

test('prepareCgroups() leaves no controller in a hierarchy that the runtime refuses', { skip }, () => {
  const cgroups = prepareCgroups(nullLogger)
  assert.ok(cgroups.controllers.includes('memory') && cgroups.controllers.includes('pids'))
  if (cgroups.layout !== 'hybrid') return
  const unified = cgroups.hierarchies.filter(({ version }) => version === 2)
  assert.deepEqual(
    unified.flatMap(({ controllers }) => controllers),
    [],
  )
})

test('cgroup tree: can be created and listed; its processes and their children are killed; it is removed', {
  skip,
}, async () => {
  const path = `${parent}/one`
  createCgroup(`${path}/below`)
  try {
    assert.deepEqual(listCgroups(parent), ['one'])
    assert.deepEqual(readPids(path), [])
    const first = spawnProcess({ path: '/bin/sh', args: ['-c', 'while :; do sleep 0.01; done'] })
    const second = spawnProcess({ path: 'sleep', args: ['100'] })
    joinCgroup(path, first.pid)
    joinCgroup(`${path}/below`, second.pid)
    assert.ok(readPids(path).includes(second.pid))
    assert.equal(cgroupPathOfPid(second.pid), `${path}/below`)
    assert.equal(removeCgroup(path), false)
    assert.ok(killCgroup(path) >= 2)
    assert.deepEqual(await Promise.all([first.exited, second.exited]), [
      { code: null, signal: 9 },
      { code: null, signal: 9 },
    ])
    assert.equal(cgroupPathOfPid(second.pid), undefined)
  } finally {
    killCgroup(parent)
    await removedSoon(parent)
  }
  assert.deepEqual(listCgroups(parent), [])
  assert.deepEqual(readPids(parent), [])
})

test('dissolveCgroup: removes a group that a process has only begun to enter', { skip }, async () => {
  const path = `${parent}-entered`
  createCgroup(path)
  const child = spawnProcess({ path: 'sleep', args: ['100'] })
  try {
    // With v1, another hierarchy than the one that processes are read from.
    const last = detectCgroups().hierarchies.findLast(({ path: mounted }) => existsSync(join(mounted, path)))
    writeFileSync(join(last?.path ?? '', path, 'cgroup.procs'), String(child.pid))
    assert.equal(removeCgroup(path), false)
    assert.equal(await dissolveCgroup(path, 10_000), true)
    assert.deepEqual(await child.exited, { code: null, signal: 9 })
    assert.deepEqual(
      detectCgroups().hierarchies.filter(({ path: mounted }) => existsSync(join(mounted, path))),
      [],
    )
  } finally {
    child.kill(9)
    await removedSoon(path)
  }
})

test('cgroup paths: the root and paths with .. are refused', () => {
  for (const path of ['', '/', '/a/../..', '..']) {
    assert.throws(() => killCgroup(path), { kind: 'internal' })
    assert.throws(() => removeCgroup(path), { kind: 'internal' })
  }
})

/** Killed processes leave their group a moment later. */
async function removedSoon(path: string): Promise<void> {
  for (let attempt = 0; attempt < 100 && !removeCgroup(path); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('expectCgroupMove(): the process stays where it is', { skip }, async () => {
  const groups = () => readFileSync('/proc/self/cgroup', 'utf8')
  const before = groups()
  expectCgroupMove(20)
  expectCgroupMove(30)
  for (let check = 0; check < 10; check++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(groups(), before)
  }
})
