/** COPY and ADD: selects the files, computes the key, and makes the layer.
 *  https://docs.docker.com/reference/dockerfile/#copy */
import { hash } from 'node:crypto'
import { invalidArgument } from '../../base/index.ts'
import { filesOf, stepKey } from '../cache/step-key.ts'
import {
  type AddInstruction,
  type CopyInstruction,
  type CopySource,
  cleanPath,
  DockerfileError,
} from '../dockerfile/index.ts'
import { type SelectedGroup, selectFiles } from '../tree/index.ts'
import type { WriteEntry, WriteGroup } from '../workers/write-job.ts'
import { addRemote, isRemote } from './add-remote.ts'
import { copyLayer, toWriteGroup } from './copy-layer.ts'
import { type CopyFrom, openCopySource } from './copy-source.ts'
import { findStep, inputsOf, keepStep, layerStep, type StepLayer } from './layer-step.ts'
import type { StepPlace } from './step-place.ts'

type Instruction = CopyInstruction | AddInstruction

/** Runs a COPY or ADD. */
export async function copyStep(place: StepPlace): Promise<StepLayer> {
  const instruction = place.step.instruction as Instruction
  if (instruction.kind === 'ADD' && instruction.sources.some(isRemote)) return await addRemote(place, instruction)
  await using from = await openCopySource(place, instruction)
  const identity = from.identity ?? (await contextIdentity(place, instruction, from))
  const early = identity === undefined ? undefined : stepKey(earlyInputs(place, instruction, identity))
  if (early !== undefined) {
    const found = await findStep(place, early)
    if (found !== undefined) return found
  }
  const groups = await selectAll(place, instruction, from)
  const paths = [...new Set(groups.flatMap((group) => filePaths(group)))]
  const { signal } = place.run.host
  const digests = await from.context.digests(paths, { signal })
  const inline = inlineGroups(instruction)
  const values = { ...valuesOf(instruction), ...inlineValues(inline) }
  const files = filesOf(groups, (path) => digests.get(path), { owner: instruction.chown === undefined })
  const inputs = inputsOf(place, textOf(instruction), values, files, { isLinked: instruction.link })
  const made = await layerStep(place, {
    inputs,
    isLinked: instruction.link,
    make: async () => {
      const contents = await from.context.contents(paths, { signal })
      return await copyLayer(
        place,
        instruction,
        [...groups.map((group) => toWriteGroup(group, contents)), ...inline],
        contents,
      )
    },
  })
  if (early !== undefined) {
    const { layer, createdMs } = made
    keepStep(place, { key: early, inputs: undefined, layer, createdMs, of: layer.key ?? stepKey(inputs) })
  }
  return made
}

/** The key part for a context that can identify its files without listing them. */
async function contextIdentity(
  { run, stage }: StepPlace,
  instruction: Instruction,
  { context }: CopyFrom,
): Promise<string | undefined> {
  const paths = instruction.sources.flatMap((source) => (source.kind === 'path' ? [source.path] : []))
  if (stage.noCache || paths.length === 0) return undefined
  return await context.identity?.(paths, { signal: run.host.signal, form: formOf(instruction) })
}

function formOf(instruction: Instruction): 'copy' | 'parents' {
  return instruction.kind === 'COPY' && instruction.parents ? 'parents' : 'copy'
}

async function selectAll(place: StepPlace, instruction: Instruction, from: CopyFrom): Promise<SelectedGroup[]> {
  const parents = instruction.kind === 'COPY' && instruction.parents
  const exclude = instruction.exclude.map(({ text }) => text)
  const paths = instruction.sources.filter((source) => source.kind === 'path')
  const tree = await from.context.look(
    paths.map(({ path }) => path),
    { signal: place.run.host.signal, form: formOf(instruction) },
  )
  const groups: SelectedGroup[] = []
  for (const source of paths) {
    const found = await selectFiles(tree, source.path, { parents, exclude })
    if (found === undefined || (found.length === 0 && isOnlyWildcard(instruction))) throw missing(place, source, from)
    groups.push(...found)
  }
  for (const { entries } of groups) {
    const other = entries.find(({ entry }) => entry.type === 'other')
    if (other !== undefined)
      throw invalidArgument(`cannot copy ${other.from}: it is neither file, directory nor symlink`)
  }
  const { destination } = instruction
  const singles = groups.filter((group) => !group.isDirectory).length
  if (groups.length > 1 && singles > 0 && !destination.text.endsWith('/')) {
    const { line } = instruction
    const rule = `When using ${instruction.kind} with more than one source file, the destination must be a directory and end with a /`
    throw new DockerfileError(rule, { source: line.source, range: line.range }, { parsing: false })
  }
  return groups
}

function isOnlyWildcard({ sources }: Instruction): boolean {
  return sources.length === 1
}

function missing(place: StepPlace, source: CopySource & { readonly kind: 'path' }, from: CopyFrom): DockerfileError {
  const { line, kind } = place.step.instruction
  const path = cleanPath(`/${source.path}`)
  const problem = `${kind} failed: ${JSON.stringify(path)} not found in ${from.shownAs}`
  return new DockerfileError(
    problem,
    { source: line.source, range: line.range, at: line.locate(source.offset) },
    { parsing: false },
  )
}

function filePaths(group: SelectedGroup): string[] {
  return group.entries.filter(({ entry }) => entry.type === 'file').map(({ from }) => from)
}

/** The here-documents of the instruction, as files. */
function inlineGroups({ sources }: Instruction): WriteGroup[] {
  return sources.flatMap((source): WriteGroup[] => {
    if (source.kind !== 'inline') return []
    const entry: WriteEntry = {
      path: '',
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtimeNs: 0n,
      linkPath: '',
      source: { kind: 'text', text: source.content },
    }
    return [
      { name: source.name, isDirectory: false, entries: [{ ...entry, mtimeNs: BigInt(Date.now()) * 1_000_000n }] },
    ]
  })
}

function inlineValues(groups: readonly WriteGroup[]): Record<string, string> {
  const digest = ({ source }: WriteEntry) => (source?.kind === 'text' ? hash('sha256', source.text, 'hex') : '')
  return Object.fromEntries(
    groups.map((group, index) => [`text ${index} ${group.name}`, group.entries.map(digest).join()]),
  )
}

function earlyInputs(place: StepPlace, instruction: Instruction, identity: string) {
  const sources = instruction.sources.map((source) =>
    source.kind === 'path' ? source.path : `${source.name}\n${source.content}`,
  )
  const values = { ...valuesOf(instruction), from: identity, sources: JSON.stringify(sources) }
  return inputsOf(place, textOf(instruction), values, {}, { isLinked: instruction.link })
}

function valuesOf(instruction: Instruction): Record<string, string> {
  return {
    destination: instruction.destination.text,
    ...(instruction.chown === undefined ? {} : { chown: instruction.chown.text }),
    ...(instruction.chmod === undefined ? {} : { chmod: instruction.chmod.text }),
    ...(instruction.exclude.length === 0
      ? {}
      : { exclude: JSON.stringify(instruction.exclude.map(({ text }) => text)) }),
    ...(instruction.link ? { link: 'true' } : {}),
    ...(instruction.kind === 'COPY' && instruction.parents ? { parents: 'true' } : {}),
    ...(instruction.kind === 'ADD' && instruction.unpack !== undefined ? { unpack: String(instruction.unpack) } : {}),
  }
}

/** The part of the instruction that is not among the values: its kind, and where the files come from. */
function textOf({ kind }: Instruction): string {
  return kind
}
