/** Snapshots in memory; the files of each are in a directory of their own. Passes `test/suites/snapshotter.ts`. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BerthError, conflict, notFound } from '../../src/base/index.ts'
import type {
  CommitOptions,
  PrepareOptions,
  SnapshotInfo,
  Snapshotter,
  SnapshotUsage,
} from '../../src/snapshots/index.ts'
import { measureUsage } from '../../src/snapshots/usage.ts'
import type { Mount } from '../../src/sys/index.ts'
import type { FakeSnapshot, Life } from './fake-host.ts'

export class FakeSnapshotter implements Snapshotter {
  readonly #life: Life
  readonly #rows: Map<string, FakeSnapshot>

  constructor(life: Life) {
    this.#life = life
    this.#rows = life.host.snapshots
  }

  prepare(key: string, parent?: string, _options: PrepareOptions = {}): Promise<void> {
    return this.#life.step('prepare snapshot', () => this.#make(key, 'active', parent))
  }

  async mounts(key: string): Promise<readonly Mount[]> {
    const { number } = this.#get(key)
    return await this.#life.step('mounts of snapshot', () => [{ type: 'overlay', source: String(number), options: [] }])
  }

  withRoom<T>(_key: string, work: () => T): T {
    return work()
  }

  directory(key: string): string {
    return this.#directory(this.#get(key))
  }

  commit(name: string, key: string, { parent, sizeBytes }: CommitOptions = {}): Promise<void> {
    return this.#life.step('commit snapshot', () => {
      const row = this.#get(key)
      if (row.kind !== 'active') throw conflict(`snapshot ${key} is ${row.kind}`)
      if (parent !== undefined) this.#checkParent(parent)
      if (parent !== undefined && (row.parent ?? parent) !== parent) throw conflict(`snapshot ${key} has a parent`)
      if (this.#rows.has(name)) throw new BerthError('alreadyExists', `snapshot ${name} exists`)
      this.#rows.delete(key)
      this.#rows.set(name, { ...row, kind: 'committed', parent: parent ?? row.parent, sizeBytes })
    })
  }

  async remove(key: string): Promise<void> {
    if (!this.#rows.has(key)) return
    await this.#life.step('remove snapshot', () => {
      const row = this.#rows.get(key)
      if (row === undefined) return
      if ([...this.#rows.values()].some(({ parent }) => parent === key)) throw conflict(`snapshot ${key} is in use`)
      const { mounts, problems } = this.#life.host
      if ([...mounts.values()].includes(String(row.number))) problems.push(`removed while mounted: snapshot ${key}`)
      this.#rows.delete(key)
      rmSync(this.#directory(row), { recursive: true, force: true })
    })
  }

  async find(key: string): Promise<SnapshotInfo | undefined> {
    const row = this.#rows.get(key)
    return row === undefined ? undefined : toInfo(key, row)
  }

  async usage(key: string): Promise<SnapshotUsage> {
    return measureUsage(this.directory(key))
  }

  async *walk(): AsyncIterable<SnapshotInfo> {
    const rows = [...this.#rows].sort(([, one], [, other]) => one.number - other.number)
    for (const [key, row] of rows) yield toInfo(key, row)
  }

  #make(key: string, kind: FakeSnapshot['kind'], parent: string | undefined): void {
    if (this.#rows.has(key)) throw new BerthError('alreadyExists', `snapshot ${key} exists`)
    if (parent !== undefined) this.#checkParent(parent)
    const number = this.#life.host.newPid()
    const row: FakeSnapshot = { number, kind, parent, created: new Date(), sizeBytes: undefined }
    this.#rows.set(key, row)
    mkdirSync(this.#directory(row), { recursive: true })
  }

  #checkParent(parent: string): void {
    if (this.#get(parent).kind !== 'committed') throw conflict(`snapshot ${parent} is not committed`)
  }

  #get(key: string): FakeSnapshot {
    const row = this.#rows.get(key)
    if (row === undefined) throw notFound(`no snapshot ${key}`)
    return row
  }

  #directory({ number }: FakeSnapshot): string {
    return join(this.#life.host.root, 'snapshots', String(number))
  }
}

function toInfo(key: string, { kind, parent, created, sizeBytes }: FakeSnapshot): SnapshotInfo {
  return { key, kind, parent, created, sizeBytes }
}
