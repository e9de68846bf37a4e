/** Ends the processes that outlive their test file and hold its output open: the runner waits for the end of the output,
 *  so that one such process would make the whole stage hang. Each of them is a failure of its test file. */
import { appendFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readIfThere } from './leaks.ts'

const intervalMs = 3000

/** Looks for such processes every few seconds until it is disposed. */
export function watchOutputHolders(work: string): Disposable {
  const ended = new Set<string>()
  const timer = setInterval(() => {
    for (const pid of readdirSync(join(work, 'output'))) {
      if (readIfThere(`/proc/${pid}/cmdline`) !== '') continue
      // Children of the file may take a moment to end after it.
      if (!ended.has(pid)) ended.add(pid)
      else endHolders(work, pid)
    }
  }, intervalMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

function endHolders(work: string, pid: string): void {
  const file = join(work, 'output', pid)
  const [path = '', ...outputs] = readIfThere(file).split('\n')[0]?.split(' ') ?? []
  for (const holder of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (!holdsOne(holder, outputs)) continue
    const command = readIfThere(`/proc/${holder}/cmdline`).replaceAll('\0', ' ').trim()
    console.log(`FAILED ${path}: left a process that holds its output: ${holder} ${command.slice(0, 200)}`)
    appendFileSync(join(work, 'totals'), '0 1 0\n')
    process.kill(Number(holder), 'SIGKILL')
  }
  rmSync(file)
}

function holdsOne(pid: string, outputs: readonly string[]): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => outputs.includes(readlinkSync(`/proc/${pid}/fd/${fd}`)))
  } catch {
    return false // ended meanwhile
  }
}
