/** What the tree of commands is made of. */
import type { Command } from './command.ts'

export interface CommandEntry {
  readonly summary: string
  /** All names, as `--help` lists them; none when there is only one. */
  readonly aliases?: readonly string[]
  /** Not listed: programs call it. */
  readonly hidden?: boolean
  /** Listed first in `berth --help`. */
  readonly common?: boolean
  load(): Promise<Command>
}

/** The commands of a group that people call. */
export function shownCommands({ commands }: CommandGroup): readonly (readonly [string, CommandEntry])[] {
  return Object.entries(commands).filter(([, { hidden = false }]) => !hidden)
}

export interface CommandGroup {
  readonly summary: string
  readonly commands: Readonly<Record<string, CommandEntry>>
  /** What follows its name where a command of it is unknown; nothing for most. */
  readonly usage?: string
  /** Other names of its commands. */
  readonly alternatives?: Readonly<Record<string, string>>
}
