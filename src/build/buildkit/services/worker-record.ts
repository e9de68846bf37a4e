/** What clients are told of the builder. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { hostPlatform } from '../../../oci/index.ts'
import type { WorkerRecordSchema } from '../gen/types_pb.ts'

/** The version of BuildKit whose protocol and features this is; clients ask for it before they use newer ones. */
export const buildkitVersion = { package: 'berth', version: 'v0.13.2', revision: '' }

/** The one worker. Clients look up in the labels what a daemon can: one with a `snapshotter` exports in every form. */
export function workerRecord(id: string): MessageInitShape<typeof WorkerRecordSchema> {
  const { os, architecture, variant = '' } = hostPlatform()
  return {
    id,
    labels: {
      'org.mobyproject.buildkit.worker.executor': 'oci',
      'org.mobyproject.buildkit.worker.network': 'host',
      'org.mobyproject.buildkit.worker.snapshotter': 'overlayfs',
    },
    platforms: [{ os, architecture, variant }],
    buildkitVersion,
  }
}
