/** Runs a plugin of docker's command line on the terminal of this one, whose place it takes. */
import { spawn } from 'node:child_process'

const passedOn = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** Gives its exit code, 255 (as docker) for one that a signal ended. Rejects when it can't be started. */
export function runPlugin(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const child = spawn(program, args, { stdio: 'inherit', env })
  for (const signal of passedOn) process.on(signal, () => child.kill(signal))
  // A terminal's Ctrl-C reaches the plugin by itself; when it ends is the plugin's to say.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  child.once('error', reject)
  child.once('close', (code) => resolve(code ?? 255))
  return promise
}
