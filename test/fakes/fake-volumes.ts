/** Volumes in memory: who holds which. */
import type { ContainerVolumes } from '../../src/containers/record/dependencies.ts'
import type { Life } from './fake-host.ts'

/** What lasts of the volumes when the daemon is killed. */
export interface FakeHolds {
  /** Holders of volumes that are mounted. */
  readonly mounted: Map<string, Set<string>>
  /** Containers that use a volume. */
  readonly users: Map<string, Set<string>>
}

export function fakeVolumes(life: Life, { mounted, users }: FakeHolds): ContainerVolumes {
  const dropAll = (from: Map<string, Set<string>>, holder: string): void => {
    for (const holders of from.values()) holders.delete(holder)
  }
  const add = (to: Map<string, Set<string>>, name: string, holder: string): void => {
    to.set(name, (to.get(name) ?? new Set()).add(holder))
  }
  const isIn = (map: Map<string, Set<string>>, holder: string): boolean =>
    [...map.values()].some((holders) => holders.has(holder))
  return {
    acquire: (name, containerId) =>
      life.step('acquire volume', () => {
        add(users, name, containerId)
        return { driver: 'local', source: `/volumes/${name}` }
      }),
    mount: (name, holder) =>
      life.step('mount volume', () => {
        add(mounted, name, holder)
        return life.host.root
      }),
    async unmountAll(holder) {
      if (isIn(mounted, holder)) await life.step('unmount volumes', () => dropAll(mounted, holder))
    },
    async release(containerId) {
      if (isIn(users, containerId)) await life.step('release volumes', () => dropAll(users, containerId))
    },
    async hold() {
      return { containers: [], isNew: false }
    },
    async letGo() {},
    async replace() {},
    async copyUp() {},
    async restore(containers) {
      for (const holders of users.values()) {
        for (const id of holders) if (!containers.has(id)) holders.delete(id)
      }
    },
  }
}
