/** Runs a plugin of docker's command line on this terminal, in place of this process. */
import { spawn } from 'node:child_process'

const passedOn = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** Gives its exit code; as in docker, 255 if a signal ended it. Rejects when it can't be started. */
export function runPlugin(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const child = spawn(program, args, { stdio: 'inherit', env })
  for (const signal of passedOn) process.on(signal, () => child.kill(signal))
  // Ctrl-C on a terminal reaches the plugin directly, and the plugin decides when it ends.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  child.once('error', reject)
  child.once('close', (code) => resolve(code ?? 255))
  return promise
}
