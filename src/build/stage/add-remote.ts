/** ADD of URLs and git repositories. */
import { createHash } from 'node:crypto'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { BerthError, cleanUpAfter, newId, type Undo } from '../../base/index.ts'
import { HttpTransport } from '../../registry/client/index.ts'
import { checkOutRepository, resolveRevision } from '../context/git-repository.ts'
import {
  type AddInstruction,
  type CopySource,
  DockerfileError,
  type RemoteSource,
  remoteSource,
} from '../dockerfile/index.ts'
import { DirectoryTree, selectFiles } from '../tree/index.ts'
import type { WriteGroup } from '../workers/write-job.ts'
import { copyLayer, toWriteGroup } from './copy-layer.ts'
import { inputsOf, layerStep, type StepLayer } from './layer-step.ts'
import type { StepPlace } from './step-place.ts'

type GitSource = Extract<RemoteSource, { kind: 'git' }>

/** True for a source that has to be fetched. */
export function isRemote(source: CopySource): boolean {
  return source.kind === 'path' && remoteSource(source.path) !== undefined
}

/** Runs an ADD whose only source is a remote one. */
export async function addRemote(place: StepPlace, instruction: AddInstruction): Promise<StepLayer> {
  const [only, ...others] = instruction.sources
  const source = only?.kind === 'path' ? remoteSource(only.path) : undefined
  if (source === undefined || others.length > 0) {
    throw refuse(place, 'ADD takes one URL or repository at a time')
  }
  if (source.kind === 'git') return await addGit(place, instruction, source)
  return await cleanUpAfter(place.run.parts.logger, (cleanUp) => addUrl(place, instruction, source.url, cleanUp))
}

async function addUrl(place: StepPlace, instruction: AddInstruction, url: string, cleanUp: Undo): Promise<StepLayer> {
  const { run } = place
  const wanted = instruction.checksum?.text
  let fetched: Fetched | undefined
  const fetchOnce = async () => {
    fetched ??= await download(place, url, cleanUp)
    if (wanted !== undefined && `sha256:${fetched.digest}` !== wanted) {
      throw refuse(place, `digest mismatch sha256:${fetched.digest}: ${wanted}`)
    }
    return fetched
  }
  const digest = wanted ?? `sha256:${(await fetchOnce()).digest}`
  const values = valuesOf(instruction)
  const made = await layerStep(place, {
    inputs: inputsOf(place, 'ADD', { ...values, url, content: digest }, {}, { isLinked: instruction.link }),
    isLinked: instruction.link,
    make: async () => {
      const { path, name, mtimeNs } = await fetchOnce()
      const facts = { path: '', mode: 0o600, uid: 0, gid: 0, linkPath: '', mtimeNs }
      const entry = { ...facts, type: 'file' as const, source: { kind: 'path' as const, path } }
      const group: WriteGroup = { name, isDirectory: false, entries: [entry] }
      // A fetched archive is unpacked only when the Dockerfile says so.
      const how = instruction.unpack === true ? instruction : { ...instruction, unpack: false }
      return await copyLayer(place, how, [group], undefined)
    },
  })
  run.materials.push({ kind: 'url', uri: url, digest })
  return made
}

interface Fetched {
  readonly path: string
  readonly name: string
  readonly digest: string
  readonly mtimeNs: bigint
}

async function download({ run, step }: StepPlace, url: string, cleanUp: Undo): Promise<Fetched> {
  const directory = join(run.parts.directory, 'tmp', newId())
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  cleanUp.add(() => run.parts.trash.discard(directory))
  const transport = new HttpTransport(run.parts.images.registries.transportOptions)
  try {
    const { status, headers, body } = await transport.send({ url, signal: run.host.signal })
    if (status >= 400) {
      body.destroy()
      throw new BerthError('invalidArgument', `failed to load ${url}: invalid response status ${status}`)
    }
    const path = join(directory, 'file')
    const sum = createHash('sha256')
    await pipeline(
      body,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          sum.update(chunk)
          yield chunk
        }
      },
      createWriteStream(path, { mode: 0o600 }),
    )
    const modified = Date.parse(textOf(headers['last-modified']))
    const name = nameOf(url, textOf(headers['content-disposition']))
    if (name === '' && !(step.instruction as AddInstruction).destination.text.endsWith('/')) {
      return { path, name: 'download', digest: sum.digest('hex'), mtimeNs: timeOf(modified) }
    }
    if (name === '') throw new BerthError('invalidArgument', `cannot determine filename for source ${url}`)
    return { path, name, digest: sum.digest('hex'), mtimeNs: timeOf(modified) }
  } finally {
    transport.close()
  }
}

function timeOf(modifiedMs: number): bigint {
  return Number.isNaN(modifiedMs) ? 0n : BigInt(modifiedMs) * 1_000_000n
}

function textOf(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? header : (header?.[0] ?? '')
}

/** The file's name: the one in the server's Content-Disposition header, else the last part of the URL's path. */
function nameOf(url: string, disposition: string): string {
  const [, wish = ''] = /filename="?([^";]+)"?/i.exec(disposition) ?? []
  const last = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '')
  const name = (wish.split('/').at(-1) ?? '') || last
  return name === '.' || name === '..' ? '' : name
}

async function addGit(place: StepPlace, instruction: AddInstruction, source: GitSource): Promise<StepLayer> {
  const { run } = place
  const { signal } = run.host
  const commit = await resolveRevision(source.remote, source.reference, { signal })
  const wanted = instruction.checksum?.text
  if (wanted !== undefined && !commit.startsWith(wanted.toLowerCase())) {
    throw refuse(place, `expected checksum to match ${wanted}, got ${commit}`)
  }
  const values = {
    ...valuesOf(instruction),
    git: source.remote,
    commit,
    subdirectory: source.subdirectory ?? '',
    keep: String(instruction.keepGitDir),
  }
  const made = await layerStep(place, {
    inputs: inputsOf(place, 'ADD', values, {}, { isLinked: instruction.link }),
    isLinked: instruction.link,
    make: async () => {
      const directory = join(run.parts.directory, 'tmp', newId())
      try {
        const { keepGitDir } = instruction
        const { trash } = run.parts
        const root = await checkOutRepository(source, commit, directory, { keepGitDir, trash, signal })
        const exclude = instruction.exclude.map(({ text }) => text)
        const tree = new DirectoryTree(root, { owner: { uid: 0, gid: 0 } })
        const groups = (await selectFiles(tree, '.', { exclude })) ?? []
        const written = groups.map((group) => toWriteGroup(group, { root }))
        return await copyLayer(place, { ...instruction, unpack: false }, written, { root })
      } finally {
        run.parts.trash.discard(directory)
      }
    },
  })
  run.materials.push({ kind: 'git', uri: source.remote, digest: commit })
  return made
}

function valuesOf(instruction: AddInstruction): Record<string, string> {
  return {
    destination: instruction.destination.text,
    ...(instruction.chown === undefined ? {} : { chown: instruction.chown.text }),
    ...(instruction.chmod === undefined ? {} : { chmod: instruction.chmod.text }),
    ...(instruction.link ? { link: 'true' } : {}),
    ...(instruction.unpack === undefined ? {} : { unpack: String(instruction.unpack) }),
    ...(instruction.exclude.length === 0
      ? {}
      : { exclude: JSON.stringify(instruction.exclude.map(({ text }) => text)) }),
  }
}

function refuse({ step }: StepPlace, problem: string): DockerfileError {
  const { line } = step.instruction
  return new DockerfileError(problem, { source: line.source, range: line.range }, { parsing: false })
}
