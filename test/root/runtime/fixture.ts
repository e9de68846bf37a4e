/** Containers for the runtime's tests: a busybox root file system, real conmon and crun, a sink that records. */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Logger, nullLogger, type OutputSink, type OutputStream } from '../../../src/base/index.ts'
import {
  buildEnv,
  buildSpec,
  ConmonRuntime,
  type CreateOptions,
  capabilitiesOfMask,
  type SpecHost,
  type SpecInput,
} from '../../../src/runtime/index.ts'
import { prepareCgroups } from '../../../src/sys/index.ts'
import { patience } from '../../helpers/wait.ts'

const applets =
  'sh true false cat echo seq sleep head wc id hostname stty env ls kill dd yes printf grep mount touch test awk tr stat'

/** Why these tests can't run here, or false. */
export function skipReason(): string | false {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const path of ['/usr/bin/conmon', '/usr/bin/crun', '/bin/busybox']) {
    if (!existsSync(path)) return `needs ${path}`
  }
  return false
}

export const host: SpecHost = {
  cgroupVersion: existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1,
  arch: process.arch === 'arm64' ? 'arm64' : 'amd64',
  kernelRelease: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
  capabilities: capabilitiesOfMask(/CapBnd:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'),
}

/** Parts of a `SpecInput` that replace those of a plain container. */
export type SpecChanges = { readonly [Part in keyof SpecInput]?: Partial<SpecInput[Part]> }

/** A runtime on its own directory; `close` removes everything that it made. */
export class RuntimeFixture {
  readonly root = mkdtempSync('/tmp/brt-')
  readonly rootfs = join(this.root, 'fs')
  readonly execRoot = join(this.root, 'x')
  readonly #ids: string[] = []
  runtime!: ConmonRuntime
  // The runtime's own watches don't keep a process alive.
  readonly #keepAlive = setInterval(() => {}, 1000)
  #count = 0

  static async open(logger: Logger = nullLogger): Promise<RuntimeFixture> {
    prepareCgroups(logger)
    const fixture = new RuntimeFixture()
    makeRootfs(fixture.rootfs)
    fixture.runtime = await fixture.openRuntime(logger)
    return fixture
  }

  /** Another runtime on the same directory: the daemon after its restart. */
  openRuntime(logger: Logger = nullLogger): Promise<ConmonRuntime> {
    return ConmonRuntime.open({
      execRoot: this.execRoot,
      logger,
      runtimes: { crun: { path: '/usr/bin/crun', args: [] } },
      defaultRuntime: 'crun',
    })
  }

  newId(): string {
    this.#count += 1
    const id = `${this.root.slice(-6)}-${this.#count}`
    this.#ids.push(id)
    return id
  }

  logPath(id: string): string {
    return join(this.root, `${id}.log`)
  }

  spec(args: readonly string[], changes: SpecChanges = {}): SpecInput {
    const terminal = changes.process?.terminal ?? false
    return {
      process: {
        args,
        env: buildEnv([], { hostname: 'box', terminal }),
        cwd: '/',
        user: { uid: 0, gid: 0, additionalGids: [0] },
        terminal,
        rlimits: [],
        ...changes.process,
      },
      files: { rootfs: this.rootfs, readonlyRootfs: false, binds: [], tmpfs: [], ...changes.files },
      namespaces: {
        network: 'private',
        pid: 'private',
        ipc: 'private',
        uts: 'private',
        hostname: 'box',
        ...changes.namespaces,
      },
      security: {
        privileged: false,
        capabilities: { add: [], drop: [] },
        seccomp: 'default',
        noNewPrivileges: false,
        ...changes.security,
      },
      resources: {
        limits: {},
        cgroupsPath: `/berth-test-${this.root.slice(-6)}/${this.#count + 1}`,
        ...changes.resources,
      },
    }
  }

  /** Creates a container; it waits for `start`. */
  async create(
    args: readonly string[],
    changes: SpecChanges = {},
    options: Partial<CreateOptions> = {},
  ): Promise<string> {
    const spec = buildSpec(this.spec(args, changes), host)
    const id = this.newId()
    await this.runtime.create({ id, spec, stdin: false, logPath: this.logPath(id), ...options })
    return id
  }

  async run(args: readonly string[], changes: SpecChanges = {}, options: Partial<CreateOptions> = {}) {
    const id = await this.create(args, changes, options)
    await this.runtime.get(id).start()
    return id
  }

  /** The log's lines as `stream flag text`. */
  log(id: string): string[] {
    const text = readFileSync(this.logPath(id), 'utf8')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(line.indexOf(' ') + 1))
  }

  async close(): Promise<void> {
    const ends = await Promise.allSettled(this.#ids.map((id) => this.runtime.delete(id, { force: true })))
    this.runtime.close()
    clearInterval(this.#keepAlive)
    removeTestCgroups(`berth-test-${this.root.slice(-6)}`)
    rmSync(this.root, { recursive: true, force: true })
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }
}

/** Records its input; `stall` makes it refuse more until `drain`. */
export class MemorySink implements OutputSink {
  readonly chunks: { readonly stream: OutputStream; readonly chunk: Buffer }[] = []
  bytes = 0
  stall = false
  keep = true
  #drain: (() => void)[] = []
  #close: (() => void)[] = []

  write(stream: OutputStream, chunk: Buffer): boolean {
    if (this.keep) this.chunks.push({ stream, chunk })
    this.bytes += chunk.length
    return !this.stall
  }

  onDrain(callback: () => void): void {
    this.#drain.push(callback)
  }

  onClose(callback: () => void): void {
    this.#close.push(callback)
  }

  end(): void {}

  drain(): void {
    this.stall = false
    for (const callback of this.#drain) callback()
  }

  /** The client disconnects. */
  leave(): void {
    for (const callback of this.#close) callback()
  }

  text(stream?: OutputStream): string {
    const parts = this.chunks.filter((part) => stream === undefined || part.stream === stream)
    return Buffer.concat(parts.map(({ chunk }) => chunk)).toString('utf8')
  }
}

/** Polls until `check` holds. */
export async function until(check: () => boolean, timeoutMs = 5000): Promise<void> {
  const deadline = Date.now() + timeoutMs * patience
  while (!check()) {
    if (Date.now() > deadline) throw new Error('condition did not come true in time')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

function makeRootfs(path: string): void {
  for (const name of ['bin', 'etc', 'tmp', 'dev', 'proc', 'sys', 'root'])
    mkdirSync(join(path, name), { recursive: true })
  copyFileSync('/bin/busybox', join(path, 'bin/busybox'))
  for (const applet of applets.split(' ')) symlinkSync('busybox', join(path, 'bin', applet))
}

function removeTestCgroups(name: string): void {
  const places = [
    '',
    'cpu',
    'cpuacct',
    'cpuset',
    'memory',
    'devices',
    'freezer',
    'blkio',
    'pids',
    'systemd',
    'unified',
    'hugetlb',
    'perf_event',
    'net_cls',
    'net_prio',
    'misc',
    'rdma',
  ]
  for (const place of places) {
    const path = join('/sys/fs/cgroup', place, name)
    // The kernel's own files can't be removed and need not be: rmdir removes the directory with them.
    if (existsSync(path)) tryRmdir(path)
  }
}

function tryRmdir(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // A child cgroup is left, which the leak check of the test run reports.
  }
}
