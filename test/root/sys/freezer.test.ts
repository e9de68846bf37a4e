import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Cgroups,
  createCgroup,
  detectCgroups,
  freezeCgroup,
  killCgroup,
  removeCgroup,
  spawnProcess,
  thawCgroup,
} from '../../../src/sys/index.ts'
import { until } from '../../helpers/wait.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'

/** CPU time that a process has used, in ticks. */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')
  return Number(fields[13]) + Number(fields[14])
}

const all = detectCgroups()
const freezers = all.hierarchies.filter(({ version, controllers }) => version === 2 || controllers.includes('freezer'))

for (const hierarchy of freezers) {
  test(`freezeCgroup() stops the processes of a group, version ${hierarchy.version}`, { skip }, async () => {
    const cgroups: Cgroups = { ...all, hierarchies: [hierarchy] }
    const path = `/berth-freezer-${process.pid}-${hierarchy.version}`
    createCgroup(path)
    const busy = spawnProcess({ path: '/bin/sh', args: ['-c', 'while :; do :; done'] })
    try {
      writeFileSync(join(hierarchy.path, path, 'cgroup.procs'), String(busy.pid))
      await freezeCgroup(path, cgroups)
      const before = ticks(busy.pid)
      await sleep(100)
      assert.equal(ticks(busy.pid), before)
      thawCgroup(path, cgroups)
      await until(() => ticks(busy.pid) > before, { what: 'the process to go on' })
      thawCgroup(path, cgroups)
    } finally {
      thawCgroup(path, cgroups)
      process.kill(busy.pid, 'SIGKILL')
      await busy.exited
      killCgroup(path)
      await until(() => removeCgroup(path), { what: 'the group to go' })
    }
    await assert.rejects(freezeCgroup(path, cgroups), { kind: 'notFound' })
    thawCgroup(path, cgroups)
  })
}
