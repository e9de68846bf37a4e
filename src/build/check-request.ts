/** What of a request can be told to be wrong before anything is done. */
import type { BuildRequest } from '../api/index.ts'
import { invalidArgument } from '../base/index.ts'
import { nameFrom } from '../images/index.ts'
import type { BuildParts } from './build-parts.ts'

/** Throws `invalidArgument` for names that images can't have, and for limits that processes can't have. */
export function checkRequest(parts: Pick<BuildParts, 'checkLimits'>, request: BuildRequest): void {
  if (request.targets.length === 0) throw invalidArgument('a build without a target')
  for (const { tags, outputs } of request.targets) {
    for (const tag of tags) nameFrom(tag)
    for (const { attrs } of outputs) for (const name of (attrs.name ?? '').split(',')) if (name !== '') nameFrom(name)
  }
  const { ulimits, shmSizeBytes, memoryBytes, memorySwapBytes, cpuShares, cpuPeriod, cpuQuota } = request
  parts.checkLimits({
    Ulimits: ulimits ?? [],
    ShmSize: shmSizeBytes ?? 0,
    Memory: memoryBytes ?? 0,
    MemorySwap: memorySwapBytes ?? 0,
    CpuShares: cpuShares ?? 0,
    CpuPeriod: cpuPeriod ?? 0,
    CpuQuota: cpuQuota ?? 0,
    CpusetCpus: request.cpusetCpus ?? '',
    CpusetMems: request.cpusetMems ?? '',
  })
}
