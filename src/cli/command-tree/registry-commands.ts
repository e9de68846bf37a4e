/** The commands of `berth registry`. */
import type { CommandGroup } from '../command/command-entry.ts'

/** The commands of `berth registry`. */
export const registryCommands: CommandGroup = {
  summary: 'Run a registry of images',
  commands: {
    check: {
      summary: 'Check a configuration file and the files that it names',
      load: async () => (await import('../registry/check.ts')).command,
    },
    gc: {
      summary: 'Delete blobs that no manifest references',
      load: async () => (await import('../registry/gc.ts')).command,
    },
    htpasswd: {
      summary: 'Print a line for the htpasswd file, for a password from standard input',
      load: async () => (await import('../registry/htpasswd.ts')).command,
    },
    serve: { summary: 'Serve a registry', load: async () => (await import('../registry/serve.ts')).command },
  },
}
