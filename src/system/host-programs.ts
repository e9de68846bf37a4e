/** The versions of the host programs that the engine runs, for `/version`. */
import { statSync } from 'node:fs'
import type { DaemonConfig } from '../config/index.ts'
import { findProgram } from '../runtime/index.ts'
import { runCommand } from '../sys/index.ts'

/** A program of the host and its version. */
export interface HostProgram {
  /** A runtime's name in the configuration, or `conmon`. */
  readonly name: string
  /** `unknown` when the program gave no version. */
  readonly version: string
}

type ProgramSettings = Pick<DaemonConfig['containers'], 'defaultRuntime' | 'runtimes'>

interface KnownVersion {
  /** Tells the file from one that replaced it. */
  readonly file: string
  readonly version: Promise<string | undefined>
}

const timeoutMs = 5000

/** Asks the default runtime and conmon for their versions, and keeps the answers until the file of a program changes. */
export class HostPrograms {
  /** By path. */
  readonly #known = new Map<string, KnownVersion>()

  /** The versions of the default runtime of `settings` and of conmon. A program that doesn't answer (a busy host, an
   *  update of its package) is `unknown` this time and asked again the next time. */
  async versions({ defaultRuntime, runtimes }: ProgramSettings): Promise<readonly HostProgram[]> {
    const paths = { [defaultRuntime]: runtimes[defaultRuntime]?.path ?? 'crun', conmon: 'conmon' }
    const asked = Object.entries(paths).map(async ([name, path]) => ({ name, version: await this.#version(path) }))
    return await Promise.all(asked)
  }

  async #version(program: string): Promise<string> {
    // A program outside of these places is still found by PATH when it is run; only its updates are not noticed.
    const path = findProgram(program) ?? program
    const file = identityOf(path)
    const known = this.#known.get(path)
    const { version } = known?.file === file ? known : { version: askVersion(path) }
    this.#known.set(path, { file, version })
    const answer = await version
    if (answer === undefined && this.#known.get(path)?.version === version) this.#known.delete(path)
    return answer ?? 'unknown'
  }
}

function identityOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? '' : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ')
}

async function askVersion(path: string): Promise<string | undefined> {
  const { stdout } = await runCommand(path, ['--version'], { timeoutMs }).catch(() => ({ stdout: '' }))
  return /version\s+(\S+)/.exec(stdout.toString())?.[1]
}
