/** The reporter of `npm test`: prints one line per file, and failures and skips in full. Below the directory
 *  BERTH_TEST_WORK it writes the totals of the stage, the time of each file, and always what is running, for a run that
 *  does not end by itself (`test/runner`). */
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { RunningFile } from './running.ts'

interface TestEvent {
  readonly type: string
  readonly data: {
    readonly name?: string
    readonly file?: string
    readonly message?: string
    readonly skip?: string | boolean
    readonly todo?: string | boolean
    readonly details?: { readonly type?: string; readonly duration_ms?: number; readonly error?: unknown }
  }
}

interface FileResult {
  passed: number
  failed: number
  skipped: number
  durationMs: number
}

const work = process.env.BERTH_TEST_WORK
const root = `${process.cwd()}/`
/** The runner's own final messages. */
const runnerTotal = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) \d/

/** Turns the runner's events into text. */
export async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = new Map<string, FileResult>()
  const notes: string[] = []
  const running = new RunningTests()
  for await (const event of source) {
    running.follow(event)
    if (event.type === 'test:stderr') yield event.data.message ?? ''
    notes.push(...diagnostics(event))
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    // A skipped suite has no tests to report.
    if (event.data.details?.type === 'suite' && !isMarked(event.data.skip)) continue
    const path = (event.data.file ?? '').replace(root, '')
    const file = files.get(path) ?? { passed: 0, failed: 0, skipped: 0, durationMs: 0 }
    files.set(path, file)
    const { text, note } = count(file, path, event)
    if (text !== undefined) yield text
    if (note !== undefined) notes.push(note)
  }
  for (const [path, file] of [...files].sort()) yield fileLine(path, file)
  for (const note of notes) yield `${note}\n`
  writeTotals([...files.values()])
}

/** Keeps the list of the files and tests that run. The runner tells of these events at once, and of all others only when
 *  the files before have ended. */
class RunningTests {
  readonly #files = new Map<string, { since: number; tests: Map<string, number> }>()

  follow({ type, data: { file = '', name = '', details } }: TestEvent): void {
    if (type !== 'test:dequeue' && type !== 'test:complete') return
    const path = file.replace(root, '')
    const isFile = name === file || name === path
    if (type === 'test:dequeue') {
      if (isFile) this.#files.set(path, { since: Date.now(), tests: new Map() })
      else this.#files.get(path)?.tests.set(name, Date.now())
    } else if (isFile) {
      this.#files.delete(path)
      if (work !== undefined) appendFileSync(join(work, 'times'), `${details?.duration_ms ?? 0} ${path}\n`)
    } else this.#files.get(path)?.tests.delete(name)
    this.#write()
  }

  #write(): void {
    if (work === undefined) return
    const files = [...this.#files].map(
      ([file, { since, tests }]): RunningFile => ({
        file,
        since,
        tests: [...tests].map(([name, since]) => ({ name, since })),
      }),
    )
    writeFileSync(join(work, 'running.json'), JSON.stringify(files))
  }
}

/** A test's own messages (`t.diagnostic()`). */
function diagnostics({ type, data }: TestEvent): string[] {
  const isTests = type === 'test:diagnostic' && data.file !== undefined && !runnerTotal.test(data.message ?? '')
  return isTests ? [`${data.file?.replace(root, '')}: ${data.message}`] : []
}

/** Adds the result of one test to that of its file; returns the text to print. */
function count(file: FileResult, path: string, { type, data }: TestEvent): { text?: string; note?: string } {
  file.durationMs += data.details?.duration_ms ?? 0
  if (isMarked(data.skip) || isMarked(data.todo)) {
    file.skipped++
    return { note: `skipped: ${path}: ${data.name} (${data.skip ?? data.todo})` }
  }
  if (type === 'test:pass') {
    file.passed++
    return {}
  }
  file.failed++
  return { text: `FAILED ${path}: ${data.name}\n${indent(describe(data.details?.error))}\n` }
}

function fileLine(path: string, { passed, failed, skipped, durationMs }: FileResult): string {
  const rest = `${failed > 0 ? `, ${failed} failed` : ''}${skipped > 0 ? `, ${skipped} skipped` : ''}`
  return `${failed > 0 ? 'x' : '.'} ${path}: ${passed} passed${rest} (${(durationMs / 1000).toFixed(1)} s)\n`
}

function writeTotals(files: readonly FileResult[]): void {
  if (work === undefined) return
  const sum = (field: keyof FileResult) => files.reduce((total, file) => total + file[field], 0)
  appendFileSync(join(work, 'totals'), `${sum('passed')} ${sum('failed')} ${sum('skipped')}\n`)
}

function isMarked(mark: string | boolean | undefined): boolean {
  return mark !== undefined && mark !== false
}

/** The failure that the test itself threw, without the runner's wrapper around it. */
function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause)
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ')
}
