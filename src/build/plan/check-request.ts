/** Checks of a build request that need nothing but the request. */
import type { BuildRequest, HostConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { nameFrom } from '../../images/index.ts'
import { parseCacheExport, parseCacheImport } from '../export/index.ts'
import type { BuildParts } from '../model/build-parts.ts'

/** Throws `invalidArgument` for invalid image names, cache options and limits, and `notImplemented` for cache backends
 *  that Berth does not support. */
export function checkRequest(parts: Pick<BuildParts, 'checkLimits'>, request: BuildRequest): void {
  if (request.targets.length === 0) throw invalidArgument('the build has no target')
  for (const { tags, outputs } of request.targets) {
    const named = outputs.flatMap(({ attrs }) => (attrs.name ?? '').split(','))
    for (const name of [...tags, ...named.filter((one) => one !== '')]) nameFrom(name)
  }
  for (const option of request.cacheTo) parseCacheExport(option)
  for (const option of request.cacheFrom) parseCacheImport(option)
  parts.checkLimits(limitsOf(request))
}

function limitsOf(request: BuildRequest): HostConfig {
  const { ulimits = [], shmSizeBytes = 0, memoryBytes = 0, memorySwapBytes = 0 } = request
  const { cpuShares = 0, cpuPeriod = 0, cpuQuota = 0, cpusetCpus = '', cpusetMems = '' } = request
  return {
    Ulimits: ulimits,
    ShmSize: shmSizeBytes,
    Memory: memoryBytes,
    MemorySwap: memorySwapBytes,
    CpuShares: cpuShares,
    CpuPeriod: cpuPeriod,
    CpuQuota: cpuQuota,
    CpusetCpus: cpusetCpus,
    CpusetMems: cpusetMems,
  }
}
