/** Runs a command that ends in time, with its output on pipes of its own: a process that survives the command does not
 *  hold the output of this one open. */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** How a command ended: by itself, by its limit, or because this process was told to end. */
export type Ending = { readonly code: number } | 'limit' | 'stopped'

/** Runs `command` in a session of its own and copies its output. After a limit or a signal the command may still run:
 *  the caller ends its processes. */
export async function runLimited(
  [program = '', ...args]: readonly string[],
  limitSeconds: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ending> {
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const { promise, resolve } = Promise.withResolvers<Ending>()
  const timer = setTimeout(() => resolve('limit'), limitSeconds * 1000)
  const stop = () => resolve('stopped')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // The reader of our output is gone.
  process.stdout.on('error', stop)
  process.stderr.on('error', stop)
  child.once('error', (error) => {
    console.error(String(error))
    resolve({ code: 127 })
  })
  child.once('exit', (code) => resolve({ code: code ?? 1 }))
  let lastOutput = 0
  const copy = (to: NodeJS.WriteStream) => (chunk: Buffer) => {
    lastOutput = Date.now()
    to.write(chunk)
  }
  child.stdout.on('data', copy(process.stdout))
  child.stderr.on('data', copy(process.stderr))
  const ending = await promise
  clearTimeout(timer)
  if (typeof ending === 'object') await drained(child, () => Date.now() - lastOutput > 100)
  child.stdout.destroy()
  child.stderr.destroy()
  child.unref()
  return ending
}

/** Waits for the output that the command wrote before its end. A survivor may hold the pipes, so their end is not
 *  awaited for longer than a moment without output. */
async function drained({ stdout, stderr }: ChildProcess, isQuiet: () => boolean): Promise<void> {
  const isOver = () => stdout?.readableEnded !== false && stderr?.readableEnded !== false
  for (let tries = 0; tries < 100 && !isOver(); tries++) {
    await sleep(20)
    if (tries > 10 && isQuiet()) return
  }
}
