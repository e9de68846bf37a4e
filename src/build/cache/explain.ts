/** Explains why a step was not in the cache, by comparing its inputs with those of the last time. Pure. */
import type { BuildMissReason } from '../../api/index.ts'
import type { StepInputs } from './cache-record.ts'

const shownFiles = 20
const shownLength = 80

/** Gives the reasons. `before` is undefined when no earlier step is known at this place. */
export function explainMiss(before: StepInputs | undefined, now: StepInputs): readonly BuildMissReason[] {
  if (before === undefined) return [{ kind: 'first', text: 'it was never built before' }]
  const reasons: BuildMissReason[] = []
  if (before.instruction !== now.instruction) {
    const text = `the instruction changed from ${quote(before.instruction)} to ${quote(now.instruction)}`
    reasons.push({ kind: 'instruction', text, old: before.instruction, new: now.instruction })
  }
  if (before.parent !== now.parent) {
    const text = `the step before it has another result: ${short(before.parent)} became ${short(now.parent)}`
    reasons.push({ kind: 'parent', text, old: before.parent, new: now.parent })
  }
  for (const name of changed(before.values, now.values))
    reasons.push(valueReason(name, before.values[name], now.values[name]))
  const files = changed(before.files, now.files)
  for (const name of files.slice(0, shownFiles)) reasons.push(fileReason(name, before.files[name], now.files[name]))
  if (files.length > shownFiles) {
    reasons.push({ kind: 'file', text: `and ${files.length - shownFiles} more files` })
  }
  return reasons.length > 0 ? reasons : [{ kind: 'evicted', text: 'its result was removed from the cache' }]
}

function changed(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => before[name] !== now[name]).sort()
}

function valueReason(name: string, before: string | undefined, now: string | undefined): BuildMissReason {
  const colon = name.indexOf(':')
  const kind = colon === -1 ? 'instruction' : name.slice(0, colon)
  const shown = colon === -1 ? name : name.slice(colon + 1)
  const words: Readonly<Record<string, string>> = { env: 'variable', arg: 'argument', mount: 'mount' }
  const what = `${words[kind] ?? ''} ${shown}`.trim()
  const text =
    before === undefined
      ? `${what} is new: ${quote(now ?? '')}`
      : now === undefined
        ? `${what} is gone; it was ${quote(before)}`
        : `${what} changed from ${quote(before)} to ${quote(now)}`
  const kinds: Readonly<Record<string, string>> = { env: 'environment', arg: 'argument', mount: 'mount' }
  return {
    kind: kinds[kind] ?? 'instruction',
    text,
    name: shown,
    ...(before === undefined ? {} : { old: before }),
    ...(now === undefined ? {} : { new: now }),
  }
}

function fileReason(name: string, before: string | undefined, now: string | undefined): BuildMissReason {
  const path = pathOf(now ?? before ?? '') || name
  const [old, fresh] = [before, now].map((facts) => (facts === undefined ? undefined : contentOf(facts)))
  const text =
    before === undefined
      ? `${path} is new`
      : now === undefined
        ? `${path} is gone`
        : old === fresh
          ? `${path}: mode or owner changed`
          : `${path} changed: ${short(old ?? '')} became ${short(fresh ?? '')}`
  return {
    kind: 'file',
    text,
    name: path,
    ...(old === undefined ? {} : { old }),
    ...(fresh === undefined ? {} : { new: fresh }),
  }
}

/** The content digest inside the facts of a file: type, mode, owner, content, …, path. See `factsOf`. */
function contentOf(facts: string): string {
  return facts.split(' ')[3] ?? ''
}

function pathOf(facts: string): string {
  return facts.split(' ').slice(4).join(' ')
}

function quote(text: string): string {
  return JSON.stringify(text.length > shownLength ? `${text.slice(0, shownLength)}…` : text)
}

function short(digest: string): string {
  return digest === '' ? 'nothing' : digest.replace(/^sha256:/, '').slice(0, 12)
}
