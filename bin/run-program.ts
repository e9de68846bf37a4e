/** Runs credential helpers for the command line, which itself starts no programs. */
import { spawn } from 'node:child_process'

/** Gives exit code and output. The program's stderr goes to the user. Rejects when it can't be started. */
export function runProgram(
  program: string,
  args: readonly string[],
  input: string,
): Promise<{ readonly code: number; readonly stdout: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly code: number; readonly stdout: string }>()
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  // A helper may end without reading its input.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  child.once('error', reject)
  child.once('close', (code) => resolve({ code: code ?? 1, stdout: Buffer.concat(chunks).toString('utf8') }))
  return promise
}
