/** Runs `berth build` for tests. */
import assert from 'node:assert/strict'
import type { CommandOptions, CommandResult } from '../command.ts'
import type { TestDaemon } from '../daemons/daemon.ts'

/** Runs `berth build ARGS`, which must succeed. */
export async function berthBuild(
  daemon: TestDaemon,
  args: readonly string[],
  options?: CommandOptions,
): Promise<CommandResult> {
  const result = await daemon.berth(['build', ...args], options)
  const { code, stdout, stderr } = result
  if (code !== 0) throw new Error(`build ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`)
  return result
}

/** Runs `berth build --network none ARGS`, which must fail; returns its output. */
export async function failedBuild(daemon: TestDaemon, args: readonly string[]): Promise<string> {
  const { code, stderr } = await daemon.berth(['build', '--network', 'none', ...args])
  assert.notEqual(code, 0, 'the build should fail')
  return stderr
}
