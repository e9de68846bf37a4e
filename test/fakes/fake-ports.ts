/** The small ports of containers over a host in memory. */
import { rmSync } from 'node:fs'
import { conflict, notFound } from '../../src/base/index.ts'
import type { ControlGroups } from '../../src/containers/ports/control-groups.ts'
import type { Mounts, Processes, Trees } from '../../src/containers/ports/host-files.ts'
import type { ContainerRecord } from '../../src/containers/record/container-record.ts'
import type { RecordTable } from '../../src/containers/record/record-table.ts'
import type { FakeRun, Life } from './fake-host.ts'

/** Control groups: one for each run, named for its container. */
export function fakeControlGroups(life: Life): ControlGroups {
  const { host } = life
  const find = (path: string): FakeRun | undefined => {
    const run = host.runs.get(path.split('/').at(-1) ?? '')
    return run?.status === 'stopped' ? undefined : run
  }
  return {
    freeze: (path) =>
      life.step('freeze', () => {
        const run = find(path)
        if (run === undefined) throw notFound(`no control group ${path}`)
        host.freeze(run)
      }),
    thaw(path) {
      const run = find(path)
      if (run?.frozen === true) life.effect(() => host.thaw(run))
    },
    isFrozen: (path) => find(path)?.frozen === true,
    keepLimits: () => () => {},
    clearPidsLimit() {},
    list: () => [...host.runs.values()].filter(({ status }) => status !== 'stopped').map(({ id }) => id),
    listScopes: () => new Map(),
    kill(path) {
      const run = find(path)
      if (run !== undefined) life.effect(() => host.exit(run, 137))
      return run === undefined ? 0 : 1
    },
    dissolve: async () => true,
    pathOf: (pid) => [...host.runs.values()].filter((run) => run.pid === pid).map(({ id }) => `/berth/${id}`)[0],
    expectMove() {},
  }
}

export function fakeMounts(life: Life): Mounts {
  const { host } = life
  return {
    mount(value, target) {
      life.effect(() => {
        if (host.mounts.has(target)) host.problems.push(`mounted twice: ${target}`)
        host.mounts.set(target, value.source)
      })
    },
    unmount(target) {
      if (host.mounts.has(target)) life.effect(() => host.unmount(target))
    },
    unmountInBackground: (target) => life.step('unmount', () => host.unmount(target)),
  }
}

export function fakeTrees(life: Life): Trees {
  return { remove: (path) => life.step('remove files', () => rmSync(path, { recursive: true, force: true })) }
}

export function fakeProcesses({ host }: Life): Processes {
  return {
    isAlive: (pid) =>
      [...host.runs.values()].some(
        (run) => run.status !== 'stopped' && (run.pid === pid || [...run.execs].some((exec) => exec.pid === pid)),
      ),
  }
}

/** Records as the database keeps them; `onWrite` sees each change before it is made. */
export function fakeRecordTable(
  life: Life,
  onWrite: (before: ContainerRecord | undefined, after: ContainerRecord) => void = () => {},
): RecordTable {
  const { records } = life.host
  const isTaken = ({ id, name }: ContainerRecord) => [...records].some(([key, row]) => key !== id && row.name === name)
  const write = (record: ContainerRecord): void => {
    records.set(record.id, { name: record.name, json: JSON.stringify(record) })
  }
  return {
    insert(record) {
      if (records.has(record.id) || isTaken(record)) throw conflict(`container name or id in use: ${record.name}`)
      life.effect(() => write(record))
    },
    update(record) {
      const before = records.get(record.id)
      if (before === undefined) throw notFound(`no container ${record.id}`)
      if (isTaken(record)) throw conflict(`container name in use: ${record.name}`)
      onWrite(JSON.parse(before.json) as ContainerRecord, record)
      life.effect(() => write(record))
    },
    delete(id) {
      if (records.has(id)) life.effect(() => records.delete(id))
    },
    all: () => [...records].map(([id, row]) => ({ id, ...row })),
  }
}
