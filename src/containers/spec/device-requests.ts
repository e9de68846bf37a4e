/** `--gpus` and `--device vendor.com/class=name`: finds the CDI devices that they request. */
import type { DeviceRequest } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { type CdiDevice, type CdiEdits, readCdiDevices } from './cdi-specs.ts'

const gpuKind = 'nvidia.com/gpu'

/** All edits of the requested devices. Throws `invalidArgument`, in Docker's words, for a driver or device that does
 *  not exist. */
export async function requestedEdits(
  requests: readonly DeviceRequest[],
  directories: readonly string[],
): Promise<readonly CdiEdits[]> {
  if (requests.length === 0) return []
  const { devices, problems } = await readCdiDevices(directories)
  const names = requests.flatMap((request) => namesOf(request, devices))
  const missing = names.filter((name) => !devices.has(name))
  if (missing.length > 0) {
    const why = problems.length === 0 ? '' : ` (${problems.join('; ')})`
    throw invalidArgument(`CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}${why}`)
  }
  const found = [...new Set(names)].flatMap((name) => devices.get(name) ?? [])
  const common = new Set(found.flatMap((device) => device.common ?? []))
  return [...common, ...found.map(({ edits }) => edits)]
}

function namesOf(request: DeviceRequest, devices: ReadonlyMap<string, CdiDevice>): string[] {
  const { Driver: driver, DeviceIDs: ids, Capabilities: capabilities } = request
  if (driver === 'cdi') return [...(ids ?? [])]
  const wantsGpu = (capabilities ?? []).some((set) => set.includes('gpu'))
  const hasGpus = [...devices.keys()].some((name) => name.startsWith(`${gpuKind}=`))
  if (wantsGpu && hasGpus && (!driver || driver === 'nvidia')) return gpuNames(request, devices)
  const sets = (capabilities ?? []).map((set) => `[${set.join(' ')}]`).join(' ')
  throw invalidArgument(`could not select device driver ${JSON.stringify(driver ?? '')} with capabilities: [${sets}]`)
}

/** The devices of `--gpus`: all, a number of them, or those that are named. */
function gpuNames({ Count: count, DeviceIDs: ids }: DeviceRequest, devices: ReadonlyMap<string, CdiDevice>): string[] {
  if (ids && ids.length > 0) return ids.map((id) => (id.includes('=') ? id : `${gpuKind}=${id}`))
  const single = [...devices.keys()].filter((name) => name.startsWith(`${gpuKind}=`) && name !== `${gpuKind}=all`)
  if (count === undefined || count === null || count < 0) {
    return devices.has(`${gpuKind}=all`) ? [`${gpuKind}=all`] : single
  }
  return Array.from({ length: count }, (_, index) => `${gpuKind}=${index}`)
}
