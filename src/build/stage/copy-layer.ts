/** Makes the layer of a COPY or ADD. */
import { isBerthError } from '../../base/index.ts'
import type { FileContents } from '../context/file-context.ts'
import { type AddInstruction, type CopyInstruction, DockerfileError, parseFileMode } from '../dockerfile/index.ts'
import { chainIdOn, makeLayer } from '../layer/make-layer.ts'
import { placeLayer } from '../layer/place-layer.ts'
import { resolveOwner } from '../run/user-files.ts'
import type { SelectedGroup } from '../tree/index.ts'
import type { WriteEntry, WriteGroup } from '../workers/write-job.ts'
import type { StepPlace } from './step-place.ts'
import { unpackArchives } from './unpack-archive.ts'

type Instruction = CopyInstruction | AddInstruction

/** Writes the groups at the instruction's destination, as one layer. */
export async function copyLayer(
  place: StepPlace,
  instruction: Instruction,
  groups: readonly WriteGroup[],
  contents: FileContents | undefined,
) {
  const { run, state } = place
  const mode = instruction.chmod === undefined ? undefined : parseFileMode(instruction.chmod.text)
  const below = instruction.link ? [] : state.layers
  const options = { below, holds: run.holds, latestNs: run.latestNs, isPackedByStep: true }
  const layer = await makeLayer(run.parts, options, async ({ rootfs, pack }) => {
    const owner = instruction.chown === undefined ? undefined : ownerOf(place, rootfs, instruction.chown.text)
    const spool = contents !== undefined && 'spool' in contents ? { spool: contents.spool } : {}
    const job = {
      root: rootfs,
      destination: instruction.destination.text,
      ...spool,
      ...(owner === undefined ? {} : { owner }),
      ...(mode === undefined ? {} : { mode }),
    }
    const plain = await unpackArchives(place, instruction, groups, job)
    // The writer does not count what was unpacked.
    const isAlone = plain.length === groups.length
    const whole = { ...job, groups: plain, ...(isAlone ? pack : {}) }
    const { packed, writtenBytes = 0 } = await run.parts.workers.run({ kind: 'write', job: whole })
    if (packed === undefined) return undefined
    return { sha256: packed.sha256, tarBytes: packed.sizeBytes, filesBytes: writtenBytes }
  })
  if (!instruction.link) return layer
  const placed = { ...layer, chainId: chainIdOn(state.layers, layer.diffId) }
  await placeLayer(run.parts, run.holds, state.layers, placed)
  return placed
}

/** Resolves `--chown` with the stage's own user database. With `--link` there is no such database, so only numbers are
 *  allowed. */
function ownerOf({ step }: StepPlace, rootfs: string, text: string): { readonly uid: number; readonly gid: number } {
  try {
    return resolveOwner(text, rootfs)
  } catch (error) {
    if (!isBerthError(error)) throw error
    const { line } = step.instruction
    throw new DockerfileError(
      error.message,
      { source: line.source, range: line.range },
      { parsing: false, cause: error },
    )
  }
}

/** Adds to each selected file where its contents are. */
export function toWriteGroup({ name, isDirectory, entries }: SelectedGroup, contents: FileContents): WriteGroup {
  return {
    name,
    isDirectory,
    entries: entries.map(({ path, from, entry }): WriteEntry => {
      const { mode, uid, gid, mtimeNs, linkPath, sizeBytes, xattrs, type } = entry
      const source =
        type !== 'file'
          ? {}
          : 'spool' in contents
            ? { source: { kind: 'range', offset: contents.offsets.get(from) ?? 0, sizeBytes } as const }
            : { source: { kind: 'path', path: `${contents.root}/${from}` } as const }
      return {
        path,
        type: type === 'other' ? 'file' : type,
        mode,
        uid,
        gid,
        mtimeNs,
        linkPath,
        ...(xattrs === undefined ? {} : { xattrs }),
        ...source,
      }
    }),
  }
}
