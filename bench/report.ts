/** The results as a table and as JSON. */
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import type { Work } from './work.ts'

/** The samples of one work, by engine. */
export interface Row {
  readonly work: Work
  readonly samples: ReadonlyMap<string, readonly number[]>
}

/** The machine on which the bench ran. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly kernel: string
  readonly system: string
  readonly versions: Readonly<Record<string, string>>
  /** The load average when the bench began, which shows other activity. */
  readonly load: number
}

/** Describes this machine. */
export function describeMachine(versions: Readonly<Record<string, string>>): Machine {
  const [, system = 'Linux'] = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? []
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    system,
    versions,
    load: loadavg()[0] ?? 0,
  }
}

/** The median; undefined when there are no samples. */
export function median(samples: readonly number[]): number | undefined {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}

/** A Markdown table of medians, of Berth's ratios, and of the limits for these ratios. */
export function formatTable(rows: readonly Row[], engines: readonly string[]): string {
  const others = engines.filter((name) => name !== 'berth')
  const head = ['work', ...engines, ...others.map((name) => `Berth / ${name}`), 'budget']
  const lines = rows.map((row) => [
    row.work.title,
    ...engines.map((name) => formatValue(row, median(row.samples.get(name) ?? []))),
    ...others.map((name) => ratio(row, name)?.toFixed(2) ?? '–'),
    formatBudget(row.work),
  ])
  return [head, head.map((_, column) => (column === 0 ? '---' : '---:')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}

/** Berth's median divided by another engine's. */
export function ratio({ samples }: Row, other: string): number | undefined {
  const [ours, theirs] = [median(samples.get('berth') ?? []), median(samples.get(other) ?? [])]
  return ours === undefined || theirs === undefined ? undefined : ours / theirs
}

/** All measurements. */
export function toJson(machine: Machine, rows: readonly Row[]): string {
  const works = rows.map((row) => ({
    key: row.work.key,
    title: row.work.title,
    unit: row.work.unit,
    budget: row.work.budget ?? {},
    medians: Object.fromEntries([...row.samples].map(([name, samples]) => [name, median(samples)])),
    ratios: Object.fromEntries(
      [...row.samples.keys()].filter((name) => name !== 'berth').map((name) => [name, ratio(row, name)]),
    ),
    samples: Object.fromEntries(row.samples),
  }))
  return `${JSON.stringify({ time: new Date().toISOString(), machine, works }, undefined, 2)}\n`
}

function formatValue({ work }: Row, value: number | undefined): string {
  if (value === undefined) return '–'
  if (work.unit === 'MB') return `${value.toFixed(value < 20 ? 1 : 0)} MB`
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`
  return `${value.toFixed(value < 20 ? 1 : 0)} ms`
}

function formatBudget({ budget = {}, unit }: Work): string {
  const parts = [
    ...(budget.docker === undefined ? [] : [`≤ ${budget.docker}`]),
    ...(budget.podman === undefined ? [] : [`≤ ${budget.podman} (podman)`]),
    ...(budget.absolute === undefined ? [] : [`≤ ${budget.absolute} ${unit}`]),
  ]
  return parts.length === 0 ? '–' : parts.join(', ')
}
