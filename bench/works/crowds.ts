/** Many containers: memory, lists, density. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from '../engine.ts'
import { timed, type Work } from '../work.ts'
import { atATime, create } from './containers.ts'

const memoryContainers = 40
const crowd = 200
const settleMs = 2000
/** The engines left out, because a crowd has absolute limits only. */
const peers = ['docker', 'podman']

export const crowdWorks: readonly Work[] = [
  {
    key: 'memory',
    title: 'whole-machine memory per idle container',
    unit: 'MB',
    rounds: 2,
    quickRounds: 1,
    budget: { docker: 0.3, podman: 1.2 },
    async measure(engine) {
      await sleep(settleMs)
      const before = usedMemoryMb()
      await startIdle(engine, memoryContainers)
      await sleep(settleMs)
      const after = usedMemoryMb()
      await engine.removeAllContainers()
      return (after - before) / memoryContainers
    },
  },
  {
    key: 'daemon-memory',
    title: 'resident memory of the daemons, idle',
    unit: 'MB',
    rounds: 1,
    budget: { absolute: 90 },
    async measure(engine) {
      await sleep(settleMs)
      const pids = await engine.daemonPids()
      return pids.reduce((sum, pid) => sum + residentMb(pid), 0)
    },
  },
  {
    key: 'ps',
    title: '`ps -a` with 100 containers, API',
    unit: 'ms',
    rounds: 30,
    budget: { docker: 0.6 },
    prepare: (engine) => atATime(8, 100, () => create(engine, ['true'])),
    measure: (engine) => timed(() => engine.api('GET', '/containers/json?all=1')),
    tidy: (engine) => engine.removeAllContainers(),
  },
  {
    key: 'crowd-start',
    title: `${crowd} idle containers started in one go, API`,
    unit: 'ms',
    rounds: 1,
    without: peers,
    async measure(engine) {
      await engine.removeAllContainers()
      return timed(() => startIdle(engine, crowd))
    },
    tidy: (engine) => engine.removeAllContainers(),
  },
  {
    key: 'crowd-ps',
    title: `${crowd} running containers listed, API`,
    unit: 'ms',
    rounds: 20,
    without: peers,
    budget: { absolute: 50 },
    prepare: (engine) => startIdle(engine, crowd),
    measure: (engine) => timed(() => engine.api('GET', '/containers/json')),
    tidy: (engine) => engine.removeAllContainers(),
  },
  {
    key: 'crowd-rm',
    title: `${crowd} running containers removed by one \`rm -f\``,
    unit: 'ms',
    rounds: 1,
    without: peers,
    async measure(engine) {
      await startIdle(engine, crowd)
      const all = JSON.parse(await engine.api('GET', '/containers/json')) as { Id: string }[]
      return engine.docker(['rm', '-f', ...all.map(({ Id }) => Id)])
    },
  },
]

function startIdle(engine: Engine, count: number): Promise<void> {
  return atATime(8, count, async () => {
    const id = await create(engine, ['sleep', '1000'])
    await engine.api('POST', `/containers/${id}/start`)
  })
}

/** The memory that `free` calls used, plus tmpfs: all memory that the kernel could not free. */
function usedMemoryMb(): number {
  const values = new Map(
    readFileSync('/proc/meminfo', 'utf8')
      .split('\n')
      .map((line) => {
        const [name = '', value = '0'] = line.split(/:?\s+/)
        return [name, Number(value)] as const
      }),
  )
  const of = (name: string): number => values.get(name) ?? 0
  const usedKb = of('MemTotal') - of('MemFree') - of('Buffers') - of('Cached') - of('SReclaimable') + of('Shmem')
  return usedKb / 1024
}

function residentMb(pid: number): number {
  const [, kb = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kb) / 1024
}
