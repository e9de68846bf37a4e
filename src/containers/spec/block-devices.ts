/** `--blkio-weight-device` and `--device-{read,write}-{bps,iops}`: looks up the device numbers of block devices by
 *  path. */
import { statSync } from 'node:fs'
import type { HostConfig } from '../../api/index.ts'
import { errnoOf, invalidArgument } from '../../base/index.ts'
import type { OciBlockDevice, OciBlockIo, OciThrottle } from '../../oci/index.ts'
import { nodeOf } from './devices.ts'

type ThrottleList = HostConfig['BlkioDeviceReadBps']

/** The limits of single block devices; undefined if there are none. Throws `invalidArgument` for a path that is not a
 *  block device. */
export function blockDevices(hostConfig: HostConfig): Omit<OciBlockIo, 'weight'> | undefined {
  const weights = (hostConfig.BlkioWeightDevice ?? []).map(({ Path: path, Weight: weight }) => {
    return { ...numbersOf(path ?? ''), weight: weight ?? 0 }
  })
  const lists = {
    throttleReadBpsDevice: throttles(hostConfig.BlkioDeviceReadBps),
    throttleWriteBpsDevice: throttles(hostConfig.BlkioDeviceWriteBps),
    throttleReadIOPSDevice: throttles(hostConfig.BlkioDeviceReadIOps),
    throttleWriteIOPSDevice: throttles(hostConfig.BlkioDeviceWriteIOps),
    weightDevice: weights,
  }
  const given = Object.entries(lists).filter(([, list]) => list.length > 0)
  return given.length === 0 ? undefined : Object.fromEntries(given)
}

function throttles(list: ThrottleList): OciThrottle[] {
  return (list ?? []).map(({ Path: path, Rate: rate }) => ({ ...numbersOf(path ?? ''), rate: rate ?? 0 }))
}

function numbersOf(path: string): OciBlockDevice {
  try {
    const node = nodeOf(path, statSync(path))
    if (node?.type === 'b') return { major: node.major, minor: node.minor }
  } catch (cause) {
    const why = errnoOf(cause) === 'ENOENT' ? 'no such file or directory' : String(errnoOf(cause))
    throw invalidArgument(`stat ${path}: ${why}`, { cause })
  }
  throw invalidArgument(`${path} is not a block device`)
}
