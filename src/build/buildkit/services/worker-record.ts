/** The worker as clients see it. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { nowNs } from '../../../base/index.ts'
import { type BuildPruneOptions, parseUntil } from '../../../contract/index.ts'
import { hostPlatform } from '../../../oci/index.ts'
import type { WorkerRecordSchema } from '../gen/types_pb.ts'

/** The version of BuildKit whose protocol and features Berth provides. Clients check it before they use newer ones. */
export const buildkitVersion = { package: 'berth', version: 'v0.13.2', revision: '' }

/** The record of the only worker. Clients read abilities from its labels: one with a `snapshotter` label supports all
 *  exporters. */
export function workerRecord(
  id: string,
  policy: readonly BuildPruneOptions[] = [],
): MessageInitShape<typeof WorkerRecordSchema> {
  const { os, architecture, variant = '' } = hostPlatform()
  return {
    id,
    labels: {
      'org.mobyproject.buildkit.worker.executor': 'oci',
      'org.mobyproject.buildkit.worker.network': 'host',
      'org.mobyproject.buildkit.worker.snapshotter': 'overlayfs',
    },
    platforms: [{ os, architecture, variant }],
    gcPolicy: policy.map(toGcPolicy),
    buildkitVersion,
  }
}

function toGcPolicy({ all, filters, reservedBytes, maxUsedBytes, minFreeBytes }: BuildPruneOptions) {
  const { until: [until = ''] = [], ...others } = filters
  const now = nowNs()
  const bytes = (count: number | undefined) => BigInt(Math.round(count ?? 0))
  return {
    all,
    keepDuration: until === '' ? 0n : now - parseUntil(until, now),
    filters: Object.entries(others).flatMap(([name, values]) => values.map((value) => `${name}==${value}`)),
    reservedSpace: bytes(reservedBytes),
    maxUsedSpace: bytes(maxUsedBytes),
    minFreeSpace: bytes(minFreeBytes),
  }
}
