/** Runs the same shell lines with the official CLI and with berth against one daemon: users must see the same. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandResult, runCommand } from '../command.ts'
import { berthProgram, dockerProgram, type TestDaemon } from '../daemons/daemon.ts'

type Side = 'theirs' | 'ours'

/** Two directories for the PATH, in which `docker` is the official CLI or Berth's. */
export class TwoClis {
  readonly #daemons: Readonly<Record<Side, TestDaemon>>
  readonly #variables: NodeJS.ProcessEnv
  #next = 100

  /** `ours`: a separate daemon for Berth's CLI, so that both sides can change their whole daemon at the same time.
   *  `variables` are those that scripts may use besides `$p`. */
  constructor(
    daemon: TestDaemon,
    { ours = daemon, variables = {} }: { readonly ours?: TestDaemon; readonly variables?: NodeJS.ProcessEnv } = {},
  ) {
    this.#daemons = { theirs: daemon, ours }
    this.#variables = variables
    for (const [side, program] of [
      ['theirs', dockerProgram ?? ''],
      ['ours', berthProgram],
    ] as const) {
      for (const directory of ['bin', 'official', 'config']) mkdirSync(join(this.#home(side), directory), { recursive: true }) // biome-ignore format: one line
      symlinkSync(program, join(this.#home(side), 'bin/docker'))
      symlinkSync(dockerProgram ?? '', join(this.#home(side), 'official/docker'))
    }
  }

  /** Writes a file into the configuration directories of both CLIs. */
  configure(name: string, text: string): void {
    for (const side of ['theirs', 'ours'] as const) writeFileSync(join(this.#home(side), 'config', name), text)
  }

  /** Runs a script, in which `docker` is the CLI and `$p` a prefix for names, with each CLI: one after the other on one
   *  daemon, at the same time on two. `masked` says what is masked. The official CLI runs `before` and `after` around
   *  each. */
  async run(
    script: string,
    around: { readonly before?: string; readonly after?: string } = {},
  ): Promise<{ readonly theirs: Masked; readonly ours: Masked }> {
    const number = this.#next++
    const one = async (side: Side, prefix: string): Promise<Masked> => {
      if (around.before !== undefined) await this.#run(side, around.before, prefix, 'official')
      const result = await this.#run(side, script, prefix)
      if (around.after !== undefined) await this.#run(side, around.after, prefix, 'official')
      return result
    }
    const theirs = one('theirs', `x${number}y`)
    if (this.#daemons.theirs === this.#daemons.ours) await theirs
    const ours = one('ours', `z${number}y`)
    return { theirs: await theirs, ours: await ours }
  }

  /** The same for a script that changes nothing: both run at the same time. */
  async compare(script: string): Promise<{ readonly theirs: Masked; readonly ours: Masked }> {
    const number = this.#next++
    const [theirs, ours] = await Promise.all([
      this.#run('theirs', script, `x${number}y`),
      this.#run('ours', script, `z${number}y`),
    ])
    return { theirs, ours }
  }

  #home(side: Side): string {
    return join(this.#daemons[side].root, side)
  }

  async #run(side: Side, script: string, prefix: string, programs: 'bin' | 'official' = 'bin'): Promise<Masked> {
    const home = this.#home(side)
    const cwd = join(home, prefix)
    mkdirSync(cwd, { recursive: true })
    const result = await runCommand('sh', ['-c', script], {
      cwd,
      input: '',
      env: {
        PATH: `${home}/${programs}:${process.env.PATH}`,
        HOME: home,
        DOCKER_HOST: this.#daemons[side].host,
        DOCKER_CONFIG: join(home, 'config'),
        DOCKER_CLI_HINTS: 'false',
        TZ: 'UTC',
        ...this.#variables,
        p: prefix,
      },
    })
    const mask = (text: string): string => masked(text.replaceAll(home, 'HOME'), prefix)
    return { code: result.code, stdout: mask(result.stdout), stderr: mask(result.stderr) }
  }
}

/** A script's output and exit code. */
export type Masked = Pick<CommandResult, 'code' | 'stdout' | 'stderr'>

const agoPattern =
  /(?:Up |Exited \(\d+\) |)(?:Less than a second|About an? (?:minute|hour)|\d+ (?:seconds?|minutes?|hours?|days?|weeks?|months?|years?))(?: ago)?( \(Paused\))?/g

/** Masks the differences between two calls or between two programs of different names: the prefix, ids, times, and
 *  the name of the program. If a time was printed in words, columns may be of any width. */
export function masked(text: string, prefix: string): string {
  const told = text
    .replaceAll(prefix, 'PREFIX')
    .replace(/\b[0-9a-f]{64}\b/g, 'ID')
    .replace(/\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{12}\b/g, 'SHORT')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d| [+-]\d{4} [A-Z]+)?/g, 'TIME')
    // The configuration of a committed image contains times of varying length: a few bytes.
    .replace(/\b(\d+)\.\d+kB/g, '$1kB')
    .replace(/\bBerth\b/g, 'Docker')
    .replace(/\bberth(?=[: ])/g, 'docker')
    // A typo in docker's message.
    .replace(/^SRun '/gm, "Run '")
  const vague = told.replace(agoPattern, (_, paused: string | undefined) => `AGO${paused ?? ''}`)
  return vague === told ? told : vague.replace(/ {2,}/g, '  ')
}
