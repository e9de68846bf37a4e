import type { CommandEntry, CommandGroup } from '../command/command-entry.ts'

/** The commands of `berth builder`. */
export function builderCommands(build: CommandEntry): CommandGroup {
  return {
    summary: 'Manage builds',
    commands: {
      build,
      du: {
        summary: 'Show the disk usage of the build cache',
        load: async () => (await import('../builder/du.ts')).command,
      },
      prune: {
        summary: 'Remove entries of the build cache',
        load: async () => (await import('../builder/prune.ts')).command,
      },
    },
  }
}
