/** Prepares the mounts of `RUN --mount` for one process, and cleans them up afterwards. If the daemon dies midway, the
 *  next boot finds the mounts in the step's bundle and the files in the builder's `tmp`. */
import { chmodSync, chownSync, existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Undo } from '../../base/index.ts'
import { type BindMount as HostBind, type TmpfsMount as HostTmpfs, sharedLabel } from '../../runtime/index.ts'
import { makePrivateDirectory, mount, relabelTree, unmount } from '../../sys/index.ts'
import { filesOf, stepKey } from '../cache/step-key.ts'
import {
  type BindMount,
  type CacheMount,
  DockerfileError,
  type Mount,
  type RunInstruction,
  type SecretMount,
  type SshMount,
  scriptDirectory,
} from '../dockerfile/index.ts'
import type { StepRoot } from '../layer/make-layer.ts'
import { serveAgent } from '../run/agent-socket.ts'
import { acquireCacheMount } from '../run/cache-mounts.ts'
import { resolveInTree, selectFiles } from '../tree/index.ts'
import { toWriteGroup } from './copy-layer.ts'
import { type CopyFrom, openReference } from './copy-source.ts'
import type { StepPlace } from './step-place.ts'

/** What a process gets beside its root filesystem. */
export interface PreparedMounts {
  readonly binds: readonly HostBind[]
  readonly tmpfs: readonly HostTmpfs[]
  readonly env: readonly string[]
  /** Paths at which something is mounted. */
  readonly targets: readonly string[]
}

/** Gives a line for each mount, with everything that may affect the step's result. The contents of secrets and agents
 *  are not part of it. */
export async function describeMounts(place: StepPlace, { mounts }: RunInstruction): Promise<readonly string[]> {
  const lines: string[] = []
  for (const one of mounts) {
    const content = one.type === 'bind' ? await contentOf(place, one) : undefined
    lines.push(JSON.stringify({ ...one, ...(content === undefined ? {} : { content }) }))
  }
  return lines
}

/** Prepares the mounts, and registers their cleanup with `cleanUp`. Throws `DockerfileError` for a source, secret or
 *  agent that does not exist. */
export async function prepareMounts(
  place: StepPlace,
  instruction: RunInstruction,
  root: StepRoot,
  cleanUp: Undo,
): Promise<PreparedMounts> {
  const preparation = new Preparation(place, root, cleanUp)
  for (const [index, one] of instruction.mounts.entries()) await preparation.add(one, index)
  preparation.script(instruction)
  await preparation.label()
  const { binds, tmpfs, env } = preparation
  const targets = [...binds, ...tmpfs].map(({ destination }) => destination)
  return { binds, tmpfs, env, targets }
}

class Preparation {
  readonly binds: HostBind[] = []
  readonly tmpfs: HostTmpfs[] = []
  readonly env: string[] = []
  readonly #place: StepPlace
  readonly #root: StepRoot
  readonly #cleanUp: Undo
  readonly #files: string
  readonly #caches: string[] = []
  #secrets: string | undefined
  #agents = 0

  constructor(place: StepPlace, root: StepRoot, cleanUp: Undo) {
    this.#place = place
    this.#root = root
    this.#cleanUp = cleanUp
    this.#files = join(place.run.parts.directory, 'tmp', root.id)
    makePrivateDirectory(this.#files, this.#passingGroup)
    cleanUp.add(() => place.run.parts.trash.discard(this.#files))
  }

  async add(one: Mount, index: number): Promise<void> {
    switch (one.type) {
      case 'bind':
        return await this.#bind(one, index)
      case 'cache':
        return await this.#cache(one)
      case 'tmpfs':
        this.tmpfs.push({
          destination: one.target,
          options: ['exec', ...(one.sizeBytes === undefined ? [] : [`size=${one.sizeBytes}`])],
        })
        return
      case 'secret':
        return await this.#secret(one, index)
      case 'ssh':
        return await this.#ssh(one)
    }
  }

  /** A here-document with `#!` is mounted as an executable file. */
  script({ command }: RunInstruction): void {
    if (command.form !== 'script') return
    const source = join(this.#files, 'script')
    writeFileSync(source, command.content, { mode: 0o755 })
    chmodSync(source, 0o755)
    this.binds.push({ source, destination: `${scriptDirectory}/${command.name}`, readonly: true })
  }

  /** Labels the files for SELinux, once all of them exist. Cache mounts get a label that all steps may use. */
  async label(): Promise<void> {
    const label = this.#root.labels?.mount
    if (label === undefined) return
    for (const directory of this.#caches) await relabelTree(directory, sharedLabel(label))
  }

  async #bind(one: BindMount, index: number): Promise<void> {
    const { run } = this.#place
    await using from = await sourceOf(this.#place, one)
    const path = one.source.replace(/^\/+|\/+$/g, '')
    if (from.identity === undefined) {
      const destination = join(this.#files, `bind-${index}`)
      mkdirSync(destination)
      const isFile = await copyOut(this.#place, from, path, destination)
      this.binds.push({
        source: isFile === undefined ? destination : join(destination, isFile),
        destination: one.target,
        readonly: one.readOnly,
      })
      return
    }
    const mounted = this.#mountPlace(String(index))
    const key = `build-step-${this.#root.id}-${index}`
    if (!one.readOnly) {
      await run.parts.snapshots.prepare(key, from.identity, { sizeBytes: run.parts.settings.layerSizeBytes })
      this.#cleanUp.add(() => run.parts.snapshots.remove(key))
    }
    const mounts = await run.parts.snapshots.mounts(one.readOnly ? from.identity : key, {
      volatile: true,
      mapped: this.#place.run.parts.settings.remap !== undefined,
      label: this.#root.labels?.mount,
    })
    for (const layer of mounts) mount(layer, mounted)
    this.#cleanUp.add(() => unmount(mounted, { lazy: true }))
    const found = resolveInTree(await from.context.look([path]), path)
    if (found === undefined) throw this.#missing(one.source, from)
    this.binds.push({ source: join(mounted, found), destination: one.target, readonly: one.readOnly })
  }

  async #cache(one: CacheMount): Promise<void> {
    const held = await acquireCacheMount(this.#place.run.parts, {
      id: one.id ?? one.target,
      sharing: one.sharing,
      signal: this.#place.run.host.signal,
      fill: async (directory) => {
        if (one.from !== undefined) {
          await using from = await openReference(this.#place, { text: one.from, offset: 0 })
          await copyOut(this.#place, from, one.source.replace(/^\/+|\/+$/g, ''), directory)
        }
        chmodSync(directory, one.mode)
        this.#give(directory, one)
      },
    })
    this.#cleanUp.add(held.release)
    this.#caches.push(held.directory)
    this.binds.push({ source: held.directory, destination: one.target, readonly: one.readOnly })
  }

  /** Secrets are written to memory only (tmpfs). */
  async #secret(one: SecretMount, index: number): Promise<void> {
    const value = await this.#place.run.host.secret(one.id)
    if (value === undefined) {
      if (one.required) throw this.#refuse(`secret ${one.id}: not found`)
      return
    }
    if (one.env !== undefined) this.env.push(`${one.env}=${value.toString('utf8')}`)
    if (one.target === undefined) return
    if (this.#secrets === undefined) {
      this.#secrets = this.#mountPlace('secrets')
      const label = this.#root.labels?.mount
      const group = this.#passingGroup
      const rights = group === undefined ? ['mode=700'] : ['mode=710', `gid=${group}`]
      const options = ['nosuid', 'noexec', 'nodev', ...rights, ...(label === undefined ? [] : [`context="${label}"`])]
      mount({ type: 'tmpfs', source: 'secrets', options }, this.#secrets)
      const mounted = this.#secrets
      this.#cleanUp.add(() => unmount(mounted, { lazy: true }))
    }
    const source = join(this.#secrets, String(index))
    writeFileSync(source, value, { mode: 0o600 })
    chmodSync(source, one.mode)
    this.#give(source, one)
    this.binds.push({ source, destination: one.target, readonly: true })
  }

  async #ssh(one: SshMount): Promise<void> {
    const { host } = this.#place.run
    const connect = (await host.hasSsh?.(one.id)) === true ? host.openSsh?.bind(host) : undefined
    if (connect === undefined) {
      if (one.required) throw this.#refuse(`unset ssh forward key ${one.id}`)
      return
    }
    const path = join(this.#files, `agent-${this.#agents}`)
    const close = await serveAgent(path, () => connect(one.id))
    this.#cleanUp.add(close)
    chmodSync(path, one.mode)
    this.#give(path, one)
    const target = one.target ?? `/run/buildkit/ssh_agent.${this.#agents}`
    this.#agents += 1
    this.binds.push({ source: path, destination: target, readonly: false })
    this.env.push(`SSH_AUTH_SOCK=${target}`)
  }

  /** Group of the process's root user under a user mapping. It must be able to traverse directories to reach the
   *  mounts. Undefined without a mapping. */
  get #passingGroup(): number | undefined {
    return this.#place.run.parts.settings.remap?.root.gid
  }

  /** Changes the owner. `uid` and `gid` are as the process sees them. */
  #give(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
    const root = this.#place.run.parts.settings.remap?.root ?? { uid: 0, gid: 0 }
    chownSync(path, root.uid + uid, root.gid + gid)
  }

  #mountPlace(name: string): string {
    const directory = join(this.#root.rootfs, '..', 'mounts')
    if (!existsSync(directory)) {
      makePrivateDirectory(directory, this.#passingGroup)
      this.#cleanUp.add(() => rmdirSync(directory))
    }
    const path = join(directory, name)
    mkdirSync(path, { mode: 0o700 })
    this.#cleanUp.add(() => rmdirSync(path))
    return path
  }

  #missing(source: string, from: CopyFrom): DockerfileError {
    return this.#refuse(`${JSON.stringify(source)} not found in ${from.shownAs}`)
  }

  #refuse(problem: string): DockerfileError {
    const { line } = this.#place.step.instruction
    return new DockerfileError(problem, { source: line.source, range: line.range }, { parsing: false })
  }
}

async function sourceOf(place: StepPlace, one: BindMount): Promise<CopyFrom> {
  if (one.from !== undefined) return await openReference(place, { text: one.from, offset: 0 })
  const context = await place.run.context()
  if (context === undefined) {
    const { line } = place.step.instruction
    throw new DockerfileError(
      'there is no build context to mount',
      { source: line.source, range: line.range },
      { parsing: false },
    )
  }
  return { context, shownAs: 'the build context', async [Symbol.asyncDispose]() {} }
}

/** The contents of a bind mount for the key: the identity of a stage or image, or a digest of the files. */
async function contentOf(place: StepPlace, one: BindMount): Promise<string> {
  await using from = await sourceOf(place, one)
  if (from.identity !== undefined) return from.identity
  const path = one.source.replace(/^\/+|\/+$/g, '')
  const tree = await from.context.look([path === '' ? '.' : path])
  const groups = (await selectFiles(tree, path)) ?? []
  const files = groups.flatMap(({ entries }) => entries.filter(({ entry }) => entry.type === 'file'))
  const digests = await from.context.digests(files.map(({ from: at }) => at))
  return stepKey({ parent: '', instruction: 'bind', values: {}, files: filesOf(groups, (at) => digests.get(at)) })
}

/** Copies files of a context to a directory. For a single file, gives its name. */
async function copyOut(
  place: StepPlace,
  { context, shownAs }: CopyFrom,
  path: string,
  directory: string,
): Promise<string | undefined> {
  const tree = await context.look([path === '' ? '.' : path])
  const groups = await selectFiles(tree, path)
  if (groups === undefined) {
    const { line } = place.step.instruction
    throw new DockerfileError(
      `${JSON.stringify(`/${path}`)} not found in ${shownAs}`,
      { source: line.source, range: line.range },
      { parsing: false },
    )
  }
  const files = groups.flatMap(({ entries }) => entries.filter(({ entry }) => entry.type === 'file'))
  const contents = await context.contents(files.map(({ from }) => from))
  const spool = 'spool' in contents ? { spool: contents.spool } : {}
  const written = groups.map((group) => toWriteGroup(group, contents))
  const owner = place.run.parts.settings.remap?.root
  await place.run.parts.workers.run({
    kind: 'write',
    job: { root: directory, destination: '/', groups: written, ...spool, ...(owner === undefined ? {} : { owner }) },
  })
  const [only] = groups
  return only !== undefined && !only.isDirectory ? only.name : undefined
}
