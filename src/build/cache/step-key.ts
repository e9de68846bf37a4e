/** The key of a step: a digest of everything the step reads, and of nothing else. */
import { hash } from 'node:crypto'
import type { SelectedGroup, TreeEntry } from '../tree/index.ts'
import type { StepInputs } from './cache-record.ts'

/** Part of every key. A new number invalidates the whole cache. */
const keyVersion = 1

/** Gives the key of a step with these inputs. */
export function stepKey({ parent, instruction, values, files }: StepInputs): string {
  const sorted = (record: Readonly<Record<string, string>>) =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return hash('sha256', JSON.stringify([keyVersion, parent, instruction, sorted(values), sorted(files)]), 'hex')
}

/** The facts of a copied file that go into the key. The modification time is not one of them. */
function factsOf(entry: TreeEntry, digest: string | undefined, { owner = true } = {}): string {
  const who = owner ? `${entry.uid}:${entry.gid}` : ''
  const attributes = [...(entry.xattrs ?? [])].map(([name, value]) => `${name}=${value.toString('base64')}`).sort()
  const content = entry.type === 'file' ? (digest ?? '') : entry.linkPath
  return [entry.type[0], entry.mode.toString(8), who, [content, ...attributes].join(',')].join(' ')
}

/** The facts of all files of a copy, by destination path. */
export function filesOf(
  groups: readonly SelectedGroup[],
  digestOf: (from: string) => string | undefined,
  options: { readonly owner?: boolean } = {},
): Record<string, string> {
  const files: Record<string, string> = {}
  for (const [index, group] of groups.entries()) {
    for (const { path, from, entry } of group.entries) {
      const shown = group.isDirectory ? `${index}/${path}` : `${index}:${group.name}`
      files[shown] = `${factsOf(entry, digestOf(from), options)} ${from}`
    }
  }
  return files
}
