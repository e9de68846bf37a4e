/** The reporter of `npm test`: prints one line per file, and failures and skips in full. It writes the totals into
 *  the file that BERTH_TEST_TOTALS names; `test/run` adds the stages up. */
import { appendFileSync } from 'node:fs'
import { inspect } from 'node:util'

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

const root = `${process.cwd()}/`
/** The runner's own final messages. */
const runnerTotal = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) \d/

/** Turns the runner's events into text. */
// biome-ignore lint/style/noDefaultExport: the runner takes a reporter as a module's default export
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = new Map<string, FileResult>()
  const notes: string[] = []
  for await (const event of source) {
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
  const totals = process.env.BERTH_TEST_TOTALS
  if (totals === undefined) return
  const sum = (field: keyof FileResult) => files.reduce((total, file) => total + file[field], 0)
  appendFileSync(totals, `${sum('passed')} ${sum('failed')} ${sum('skipped')}\n`)
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
