/** The containers of an engine on a host in memory: the real verbs, records, locks and events over the fakes of this
 *  folder. `reboot` after a kill makes the next daemon on what the killed one left. */
import { join } from 'node:path'
import { Background, KeyedMutex, type Logger, messageOf, zeroTime } from '../../src/base/index.ts'
import { LiveContainers } from '../../src/containers/live/live.ts'
import { ContainerIndex } from '../../src/containers/record/container-index.ts'
import { type ContainerRecord, snapshotKey, withState } from '../../src/containers/record/container-record.ts'
import type { ContainerContext, ContainerSettings } from '../../src/containers/record/dependencies.ts'
import { ContainerPaths } from '../../src/containers/record/paths.ts'
import type { ContainerStatus } from '../../src/containers/record/state.ts'
import { adoptContainers, finishRestore, liveIds } from '../../src/containers/run/restore.ts'
import { Execs } from '../../src/containers/streams/exec.ts'
import { EventBus } from '../../src/events/index.ts'
import { makePrivateDirectory } from '../../src/sys/index.ts'
import { FakeHost, Killed, Life } from './fake-host.ts'
import { type FakeLeases, fakeNetwork, fakeNetworks } from './fake-networks.ts'
import { fakeControlGroups, fakeMounts, fakeProcesses, fakeRecordTable, fakeTrees } from './fake-ports.ts'
import { FakeRuntime } from './fake-runtime.ts'
import { FakeSnapshotter } from './fake-snapshotter.ts'
import { type FakeHolds, fakeVolumes } from './fake-volumes.ts'
import type { Scheduler } from './scheduler.ts'

/** Sees what a daemon writes down and tells. */
export interface Observer {
  onWrite(before: ContainerRecord | undefined, after: ContainerRecord): void
  /** `status` is the status that the record has when the event is published; undefined without a record. */
  onEvent(action: string, id: string, status: ContainerStatus | undefined): void
  /** A new daemon reads what the last one left. */
  onBoot(): void
}

export class FakeEngine {
  readonly host: FakeHost
  readonly leases: FakeLeases = { networks: ['bridge', 'other'].map(fakeNetwork), sandboxes: new Map() }
  readonly holds: FakeHolds = { mounted: new Map(), users: new Map() }
  /** What clients were told is so: it must be true of the record from then on. */
  readonly told = new Map<string, (record: ContainerRecord) => boolean>()
  life: Life
  runtime: FakeRuntime
  context: ContainerContext
  execs: Execs
  readonly #scheduler: Scheduler
  readonly #observer: Observer

  constructor(root: string, scheduler: Scheduler, observer: Observer) {
    this.host = new FakeHost(root, scheduler)
    this.#scheduler = scheduler
    this.#observer = observer
    const daemon = this.#open()
    this.life = daemon.life
    this.runtime = daemon.runtime
    this.context = daemon.context
    this.execs = daemon.execs
  }

  /** A container as `create` leaves it. */
  add(id: string, changes: Partial<ContainerRecord> = {}): ContainerRecord {
    const record = newRecord(id, changes)
    this.context.containers.insert(record)
    this.host.snapshots.set(snapshotKey(id), {
      number: this.host.newPid(),
      kind: 'active',
      parent: undefined,
      created: new Date(),
      sizeBytes: undefined,
    })
    makePrivateDirectory(this.context.paths.home(id))
    for (const { name } of record.mounts) if (name !== undefined) this.holds.users.set(name, new Set([id]))
    return record
  }

  /** The daemon was killed; the next one boots as `daemon/open-containers.ts` has it. */
  async reboot(): Promise<void> {
    this.life.dead = true
    this.host.killBefore = -1
    const daemon = this.#open()
    this.life = daemon.life
    this.runtime = daemon.runtime
    this.context = daemon.context
    this.execs = daemon.execs
    this.#observer.onBoot()
    const { context } = this
    const adopted = await adoptContainers(context)
    const living = liveIds(context, adopted)
    for (const id of this.leases.sandboxes.keys()) if (!living.has(id)) this.leases.sandboxes.delete(id)
    for (const holders of this.holds.mounted.values()) {
      for (const id of holders) if (!living.has(id)) holders.delete(id)
    }
    await finishRestore(context, adopted)
  }

  #open(): { life: Life; runtime: FakeRuntime; context: ContainerContext; execs: Execs } {
    const { host } = this
    const life = new Life(host)
    const logger = problemLogger(life)
    const runtime = new FakeRuntime(life)
    const events = new EventBus()
    const table = fakeRecordTable(life, (before, after) => {
      if (!life.dead) this.#observer.onWrite(before, after)
    })
    const context: ContainerContext = {
      containers: ContainerIndex.open(table, logger),
      live: new LiveContainers(),
      locks: new KeyedMutex(),
      images: {
        resolve: () => unused(),
        withChildren: () => new Set(),
        commit: async () => unused(),
      },
      snapshots: new FakeSnapshotter(life),
      networks: fakeNetworks(life, this.leases),
      volumes: fakeVolumes(life, this.holds),
      runtime,
      clock: this.#scheduler.clock(life),
      cgroups: fakeControlGroups(life),
      mounts: fakeMounts(life),
      trees: fakeTrees(life),
      processes: fakeProcesses(life),
      events,
      background: new Background(logger),
      logger,
      paths: new ContainerPaths(join(host.root, 'd'), join(host.root, 'x')),
      settings,
      host: { cpus: 2, capabilities: new Set() },
      specHost: { cgroupVersion: 2, arch: 'amd64', kernelRelease: '6.1.0', capabilities: [] },
    }
    events.subscribe(({ Type, Action, Actor: { ID: id } }) => {
      if (Type !== 'container' || life.dead) return
      this.#observer.onEvent(Action, id, context.containers.find(id)?.state.status)
    })
    return { life, runtime, context, execs: new Execs(context) }
  }
}

/** Errors in the log are problems, unless the test made them. */
function problemLogger(life: Life): Logger {
  const logger: Logger = {
    child: () => logger,
    debug() {},
    info() {},
    warn() {},
    error(message, fields = {}) {
      const why = typeof fields.error === 'string' ? fields.error : messageOf(fields.error)
      if (life.dead || fields.error instanceof Killed || why.endsWith('failed by the test')) return
      life.host.problems.push(`${message}: ${why}`)
    },
  }
  return logger
}

function unused(): never {
  throw new Error('there are no images here')
}

const settings: ContainerSettings = {
  cgroupParent: '/berth',
  runtimes: new Set(['crun']),
  defaultRuntime: 'crun',
  seccompProfile: 'unconfined',
  ulimits: [],
  shmSizeBytes: 65536,
  layerSizeBytes: undefined,
  cdiSpecDirs: [],
  init: false,
  initPath: undefined,
  cgroupnsMode: undefined,
  ipcMode: 'private',
  noNewPrivileges: false,
  logDriver: 'json-file',
  logOptions: {},
  journaldSocket: '',
  dns: ['10.0.0.1'],
  dnsOptions: [],
  dnsSearch: [],
  hostGatewayIps: [],
}

function newRecord(id: string, changes: Partial<ContainerRecord>): ContainerRecord {
  const record: ContainerRecord = {
    version: 1,
    id,
    name: id.slice(0, 4),
    created: '2026-01-01T00:00:00Z',
    image: { id: 'sha256:0', reference: 'busybox', chainId: '' },
    path: 'sleep',
    args: ['1'],
    config: { Hostname: 'box', Env: ['HOME=/'] },
    networkingConfig: {},
    mounts: [],
    state: {
      status: 'created',
      pid: 0,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: zeroTime,
      finishedAt: zeroTime,
    },
    restartCount: 0,
    stoppedByUser: false,
    ...changes,
    hostConfig: { NetworkMode: 'bridge', LogConfig: { Type: 'json-file', Config: {} }, ...changes.hostConfig },
  }
  return withState(record, {})
}
