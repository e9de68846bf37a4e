/** `--iidfile` and `--metadata-file`. A file appears complete or not at all. */
import { messageOf } from '../../base/index.ts'
import { CliError } from '../command/cli-error.ts'
import { fs } from '../terminal/builtins.ts'
import type { TargetResult } from './build-run.ts'

/** Writes the ids of the images, one per line. */
export function writeIdFile(path: string, targets: readonly TargetResult[]): void {
  writeWhole(path, targets.map(({ id }) => id).join('\n'))
}

/** Keys that buildx leaves out on demand. */
const provenanceKey = /^buildx\.build\.provenance(\/|$)/

/** Writes the values of one target, or of several targets an object with their names as keys. */
export function writeMetadataFile(
  path: string,
  targets: readonly TargetResult[],
  names: readonly (string | undefined)[],
  { BUILDX_METADATA_PROVENANCE: wanted = '' }: Readonly<Record<string, string | undefined>>,
): void {
  const isLeftOut = /^(0|false|disabled)$/i.test(wanted)
  const shown = targets.map(({ metadata }) =>
    Object.fromEntries(Object.entries(metadata).filter(([key]) => !isLeftOut || !provenanceKey.test(key))),
  )
  const [only = {}] = shown
  const byName = Object.fromEntries(shown.map((metadata, index) => [names[index] ?? String(index), metadata]))
  const value = targets.length === 1 ? only : byName
  writeWhole(path, JSON.stringify(sorted(value), undefined, 2))
}

function sorted(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function writeWhole(path: string, text: string): void {
  const temporary = `${path}.tmp-${process.pid}`
  try {
    fs.writeFileSync(temporary, text)
    fs.renameSync(temporary, path)
  } catch (error) {
    fs.rmSync(temporary, { force: true })
    throw new CliError(1, `ERROR: failed to write ${path}: ${messageOf(error)}`, { cause: error })
  }
}
