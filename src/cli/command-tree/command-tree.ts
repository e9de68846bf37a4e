/** Every command with its one-line summary and its module, which is loaded when the command is called. */

import type { Command } from '../command/command.ts'
import type { CommandEntry, CommandGroup } from '../command/command-entry.ts'
import { builderCommands } from './builder-commands.ts'
import { contextCommands } from './context-commands.ts'
import { networkCommands } from './network-commands.ts'
import { registryCommands } from './registry-commands.ts'
import { volumeCommands } from './volume-commands.ts'

/** A command that can be called as `berth VERB` and as `berth GROUP VERB`. */
function both(group: string, verb: string, summary: string, load: () => Promise<Command>): CommandEntry {
  return { summary, aliases: [`${group} ${verb}`, verb], load }
}

const run = both(
  'container',
  'run',
  'Create a container from an image and start it',
  async () => (await import('../container/process/run.ts')).command,
)
const create = both(
  'container',
  'create',
  'Create a container without starting it',
  async () => (await import('../container/lifecycle/create.ts')).command,
)
const start = both(
  'container',
  'start',
  'Start stopped containers',
  async () => (await import('../container/process/start.ts')).command,
)
const stop = both(
  'container',
  'stop',
  'Stop running containers',
  async () => (await import('../container/lifecycle/stop.ts')).command,
)
const restart = both(
  'container',
  'restart',
  'Restart containers',
  async () => (await import('../container/lifecycle/restart.ts')).command,
)
const kill = both(
  'container',
  'kill',
  'Send a signal to running containers, SIGKILL by default',
  async () => (await import('../container/lifecycle/kill.ts')).command,
)
const pause = both(
  'container',
  'pause',
  'Pause all processes of containers',
  async () => (await import('../container/lifecycle/pause.ts')).command,
)
const unpause = both(
  'container',
  'unpause',
  'Unpause containers',
  async () => (await import('../container/lifecycle/unpause.ts')).command,
)
const update = both(
  'container',
  'update',
  'Change limits and restart policies of containers',
  async () => (await import('../container/lifecycle/update.ts')).command,
)
const logs = both(
  'container',
  'logs',
  'Show the log of a container',
  async () => (await import('../container/views/logs.ts')).command,
)
const attach = both(
  'container',
  'attach',
  'Attach the terminal to a running container',
  async () => (await import('../container/process/attach.ts')).command,
)
const exec = both(
  'container',
  'exec',
  'Run a program in a running container',
  async () => (await import('../container/process/exec.ts')).command,
)
const port = both(
  'container',
  'port',
  'List the published ports of a container',
  async () => (await import('../container/views/port.ts')).command,
)
const top = both(
  'container',
  'top',
  'Show the processes of a container',
  async () => (await import('../container/views/top.ts')).command,
)
const wait = both(
  'container',
  'wait',
  'Wait until containers exit, and print their exit codes',
  async () => (await import('../container/lifecycle/wait.ts')).command,
)
const rename = both(
  'container',
  'rename',
  'Give a container another name',
  async () => (await import('../container/lifecycle/rename.ts')).command,
)
const commit = both(
  'container',
  'commit',
  "Make an image of a container's changes",
  async () => (await import('../container/files/commit.ts')).command,
)
const diff = both(
  'container',
  'diff',
  'Show the changes to files in a container',
  async () => (await import('../container/files/diff.ts')).command,
)
const enter = both(
  'container',
  'enter',
  'Open a shell in a container, even if it has none',
  async () => (await import('../container/process/enter.ts')).command,
)
const copy = both(
  'container',
  'cp',
  'Copy files out of a container or into it',
  async () => (await import('../copy/cp.ts')).command,
)
const stats = both(
  'container',
  'stats',
  "Show containers' use of processors, memory, networks and disks",
  async () => (await import('../container/views/stats.ts')).command,
)
const exportContainer = both(
  'container',
  'export',
  "Write a container's file system to a tar archive",
  async () => (await import('../container/files/export.ts')).command,
)
const removeContainer: CommandEntry = {
  summary: 'Remove containers',
  aliases: ['container rm', 'container remove', 'rm'],
  load: async () => (await import('../container/lifecycle/rm.ts')).command,
}
const listContainers: CommandEntry = {
  summary: 'List containers',
  aliases: ['container ls', 'container list', 'container ps', 'ps'],
  load: async () => (await import('../container/views/ls.ts')).command,
}
const pull = both(
  'image',
  'pull',
  'Pull an image from a registry',
  async () => (await import('../image/pull.ts')).command,
)
const push = both(
  'image',
  'push',
  'Push an image to a registry',
  async () => (await import('../image/push.ts')).command,
)
const tag = both('image', 'tag', 'Give an image another name', async () => (await import('../image/tag.ts')).command)
const load = both(
  'image',
  'load',
  'Load images from a tar archive',
  async () => (await import('../image/load.ts')).command,
)
const save = both(
  'image',
  'save',
  'Write images to a tar archive',
  async () => (await import('../image/save.ts')).command,
)
const importImage = both(
  'image',
  'import',
  'Make an image from the tar archive of a file system',
  async () => (await import('../image/import.ts')).command,
)
const history = both(
  'image',
  'history',
  'Show the steps that made an image',
  async () => (await import('../image/history.ts')).command,
)
const build: CommandEntry = {
  summary: 'Build an image from a Dockerfile',
  aliases: ['image build', 'build', 'builder build'],
  load: async () => (await import('../build/build.ts')).command,
}
const listImages: CommandEntry = {
  summary: 'List images',
  aliases: ['image ls', 'image list', 'images'],
  load: async () => (await import('../image/ls.ts')).command,
}
const removeImage: CommandEntry = {
  summary: 'Remove images',
  aliases: ['image rm', 'image remove', 'rmi'],
  load: async () => (await import('../image/rm.ts')).command,
}
const info = both(
  'system',
  'info',
  'Show information about the daemon and its host',
  async () => (await import('../system/info.ts')).command,
)
const events = both(
  'system',
  'events',
  "Show the daemon's events",
  async () => (await import('../system/events.ts')).command,
)

/** The commands of `berth`. */
export const rootCommands: Readonly<Record<string, CommandEntry>> = {
  run: { ...run, common: true },
  exec: { ...exec, common: true },
  ps: { ...listContainers, common: true },
  build: { ...build, common: true },
  pull: { ...pull, common: true },
  push: { ...push, common: true },
  images: { ...listImages, common: true },
  version: {
    summary: 'Show the versions of Berth and its daemon',
    common: true,
    load: async () => (await import('../system/version.ts')).command,
  },
  info: { ...info, common: true },
  attach,
  commit,
  completion: {
    summary: 'Print the script that completes commands in a shell',
    load: async () => (await import('../system/completion.ts')).command,
  },
  cp: copy,
  create,
  diff,
  enter,
  events,
  export: exportContainer,
  history,
  import: importImage,
  inspect: {
    summary: 'Show the details of containers, images, networks and volumes',
    load: async () => (await import('../system/inspect.ts')).command,
  },
  kill,
  load,
  save,
  login: {
    summary: 'Log in to a registry',
    common: true,
    load: async () => (await import('../login/login.ts')).command,
  },
  logout: {
    summary: 'Forget the credentials for a registry',
    common: true,
    load: async () => (await import('../login/logout.ts')).command,
  },
  logs,
  pause,
  port,
  rename,
  restart,
  rm: removeContainer,
  rmi: removeImage,
  search: {
    summary: 'Search for images on Docker Hub or another registry',
    common: true,
    load: async () => (await import('../image/search.ts')).command,
  },
  start,
  stats,
  stop,
  tag,
  top,
  unpause,
  update,
  wait,
}

/** The groups, and their commands. */
export const commandGroups: Readonly<Record<string, CommandGroup>> = {
  builder: builderCommands(build),
  container: {
    summary: 'Manage containers',
    commands: {
      attach,
      commit,
      cp: copy,
      create,
      diff,
      enter,
      exec,
      export: exportContainer,
      inspect: {
        summary: 'Show the details of containers',
        load: async () => (await import('../container/views/inspect.ts')).command,
      },
      kill,
      logs,
      ls: listContainers,
      pause,
      port,
      prune: {
        summary: 'Remove containers that do not run',
        load: async () => (await import('../container/lifecycle/prune.ts')).command,
      },
      rename,
      restart,
      rm: removeContainer,
      run,
      start,
      stats,
      stop,
      top,
      unpause,
      update,
      wait,
    },
    alternatives: { list: 'ls', ps: 'ls', remove: 'rm' },
  },
  context: contextCommands,
  image: {
    summary: 'Manage images',
    commands: {
      build,
      history,
      import: importImage,
      inspect: {
        summary: 'Show the details of images',
        load: async () => (await import('../image/inspect.ts')).command,
      },
      load,
      save,
      ls: listImages,
      prune: { summary: 'Remove unused images', load: async () => (await import('../image/prune.ts')).command },
      pull,
      push,
      rm: removeImage,
      tag,
    },
    alternatives: { list: 'ls', remove: 'rm' },
  },
  network: networkCommands,
  registry: registryCommands,
  system: {
    summary: 'Manage the daemon',
    commands: {
      check: {
        summary: 'Verify all stored images',
        load: async () => (await import('../system/check.ts')).command,
      },
      df: { summary: 'Show disk usage', load: async () => (await import('../system/df.ts')).command },
      'dial-stdio': {
        summary: 'Connect standard input and output to the daemon, for clients that connect by ssh',
        hidden: true,
        load: async () => (await import('../system/dial-stdio.ts')).command,
      },
      events,
      info,
      prune: { summary: 'Remove unused data', load: async () => (await import('../system/prune.ts')).command },
    },
  },
  volume: volumeCommands,
}
