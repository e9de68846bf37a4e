/** What a run that reached its limit was doing: the stage, the test files and their last output, the processes.
 *  The files below the run's work directory that say so:
 *    stage           the name of the stage and when it began (`test/run`, in seconds)
 *    running.json    the files and tests that run (`reporter.ts`)
 *    output/<pid>    what a test file has printed so far, after a line with its path (`output-tail.ts`)
 *    check.log       the output of the stage `check` */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isOfRun, readIfThere } from './leaks.ts'
import { endProcesses, type FoundProcess, runProcesses } from './run-processes.ts'

/** A test file that has begun and not ended, with its unfinished tests. Times are milliseconds since 1970. */
export interface RunningFile {
  readonly file: string
  readonly since: number
  readonly tests: readonly { readonly name: string; readonly since: number }[]
}

const lastLines = 15
const shownProcesses = 40

/** Prints `reason` and what is running, and ends all processes of the run with this mark. */
export async function endRunning(work: string, mark: string, reason: string): Promise<void> {
  const ours = () => runProcesses((other) => isOfRun(other, mark))
  console.log(reason)
  for (const line of describeRunning(work, ours())) console.log(line)
  for (const { pid, command } of await endProcesses(ours)) console.log(`could not be ended: ${pid} ${command}`)
}

/** Lines for the user. */
function describeRunning(work: string, processes: readonly FoundProcess[]): string[] {
  const [stage = '', since] = readIfThere(join(work, 'stage')).split(' ')
  const lines = stage === '' ? ['no stage has begun'] : [`stage ${stage}, for ${secondsSince(Number(since) * 1000)} s`]
  if (stage === 'check') lines.push(...tail(readIfThere(join(work, 'check.log'))))
  const output = outputs(work)
  for (const { file, since, tests } of runningFiles(work)) {
    lines.push(`running: ${file}, for ${secondsSince(since)} s`)
    for (const test of tests) lines.push(`  test: ${test.name}, for ${secondsSince(test.since)} s`)
    lines.push(...(output.get(file) ?? []).flatMap(tail))
  }
  for (const { pid, seconds, command } of processes.slice(0, shownProcesses)) {
    lines.push(`process ${pid}, for ${seconds} s: ${command.slice(0, 160)}`)
  }
  if (processes.length > shownProcesses) lines.push(`and ${processes.length - shownProcesses} more processes`)
  return lines
}

function runningFiles(work: string): RunningFile[] {
  const text = readIfThere(join(work, 'running.json'))
  return text === '' ? [] : JSON.parse(text)
}

/** The output of each test file, by its path. */
function outputs(work: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const pid of readdirSync(join(work, 'output'))) {
    const [head = '', ...lines] = readIfThere(join(work, 'output', pid)).split('\n')
    const [file = ''] = head.split(' ')
    found.set(file, [...(found.get(file) ?? []), lines.join('\n')])
  }
  return found
}

function tail(text: string): string[] {
  const lines = text.trimEnd().split('\n')
  return lines.slice(-lastLines).flatMap((line) => (line === '' ? [] : `    ${line.slice(0, 300)}`))
}

function secondsSince(milliseconds: number): number {
  return Math.round((Date.now() - milliseconds) / 1000)
}
