/** The `tag` option of log drivers: a Go template over facts of the container.
 *  https://docs.docker.com/engine/logging/log_tags/ */
import { hostname } from 'node:os'
import { GoStruct, GoTemplate } from '../../template/index.ts'
import { logAttributes } from './log-attributes.ts'
import { type LogInfo, shortIdLength } from './log-driver.ts'

const defaultTag = '{{.ID}}'

/** The tag of a container's lines; without the option, its short id. Throws `invalidArgument` with Go's text. */
export function logTag(info: LogInfo, fallback = defaultTag): string {
  const source = info.options.tag || fallback
  return new GoTemplate(source, 'log-tag').execute(logInfoStruct(info))
}

/** The short form of an image's id, without its algorithm. */
function shortImageId(imageId: string): string {
  return imageId.replace(/^sha256:/, '').slice(0, shortIdLength)
}

/** The command line, as Docker shows it. */
export function logCommand({ entrypoint, args }: LogInfo): string {
  return [entrypoint, ...args].join(' ')
}

function logInfoStruct(info: LogInfo): GoStruct {
  const fields = new Map<string, unknown>([
    ['Config', new Map(Object.entries(info.options))],
    ['ContainerID', info.containerId],
    ['ContainerName', `/${info.containerName}`],
    ['ContainerEntrypoint', info.entrypoint],
    ['ContainerArgs', info.args],
    ['ContainerImageID', info.imageId],
    ['ContainerImageName', info.imageName],
    ['ContainerCreated', info.created],
    ['ContainerEnv', info.env],
    ['ContainerLabels', new Map(Object.entries(info.labels))],
    ['LogPath', ''],
    ['DaemonName', 'docker'],
  ])
  return new GoStruct('*logger.Info', fields, {
    methods: {
      ID: () => info.containerId.slice(0, shortIdLength),
      FullID: () => info.containerId,
      Name: () => info.containerName,
      Command: () => logCommand(info),
      ImageID: () => shortImageId(info.imageId),
      ImageFullID: () => info.imageId,
      ImageName: () => info.imageName,
      Hostname: () => hostname(),
      ExtraAttributes: () => new Map(Object.entries(logAttributes(info))),
    },
  })
}
