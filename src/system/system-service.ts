/** The verbs of the system, as the API server and embedders call them. */
import type { EventMessage, Filters, StoreProblem } from '../api/index.ts'
import { containerLayers } from '../containers/index.ts'
import type { SystemBackend } from '../contract/index.ts'
import { matchesEvent } from '../events/index.ts'
import { checkStore } from '../images/index.ts'
import { expectCgroupMove } from '../sys/index.ts'
import { type DiskUsageParts, measureDiskUsage } from './disk-usage.ts'
import { HostPrograms } from './host-programs.ts'
import { type SystemInfoParts, systemInfo } from './system-info.ts'
import { systemVersion } from './system-version.ts'

/** How long after a client's ping its request may come, in milliseconds. */
const greetedMs = 15

/** What the verbs work with. `config` is read at each call, so that it may be a getter. */
export interface SystemParts extends SystemInfoParts, DiskUsageParts {
  readonly snapshots: Parameters<typeof checkStore>[0]['snapshots']
  /** Names of the plugins that are drivers of volumes. */
  readonly volumePlugins: () => Promise<readonly string[]>
  /** Paths of the engine that other users of the host can enter. */
  readonly accessProblems: () => readonly StoreProblem[]
}

/** Makes the verbs. */
export function systemService(parts: SystemParts): SystemBackend {
  const programs = new HostPrograms()
  return {
    // `exec` of the docker CLI follows some milliseconds later; the kernel is ready by then.
    greet: () => expectCgroupMove(greetedMs),
    async version() {
      const { version, config } = parts
      return systemVersion(version, await programs.versions(config.containers), config)
    },
    info: async () => systemInfo(parts, await parts.volumePlugins()),
    events({ sinceNs, untilNs, filters }, { signal }) {
      return matchingEvents(parts.context.events.stream({ sinceNs, untilNs }, signal), filters)
    },
    diskUsage: (types) => measureDiskUsage(parts, types),
    async check(abort) {
      const { images, snapshots, context } = parts
      const containers = () => containerLayers(context.containers)
      const found = await checkStore({ ...images.parts, snapshots, containers }, abort)
      const kernel = parts
        .missingFeatures()
        .map(({ feature, reason }) => ({ Kind: 'kernel', Name: feature, Message: `not possible: ${reason}` }) as const)
      return { ...found, Problems: [...found.Problems, ...parts.accessProblems(), ...kernel] }
    },
  }
}

async function* matchingEvents(events: AsyncIterable<EventMessage>, filters: Filters): AsyncGenerator<EventMessage> {
  for await (const event of events) if (matchesEvent(event, filters)) yield event
}
