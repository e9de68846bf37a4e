/** Applies the edits of CDI devices to a container's runtime configuration. */
import { statSync } from 'node:fs'
import { errnoOf, invalidArgument } from '../../base/index.ts'
import type { OciDevice, OciHook, OciMount, OciSpec } from '../../oci/index.ts'
import type { CdiDeviceNode, CdiEdits, CdiMount } from './cdi-specs.ts'
import { nodeOf } from './devices.ts'

/** The spec with all edits applied in order. `linux` stays its last key (see `formatSpec`). Throws `invalidArgument`
 *  for a device node that the host does not have. */
export function applyEdits(spec: OciSpec, edits: readonly CdiEdits[]): OciSpec {
  const { linux, ...rest } = spec
  const { process: first } = spec
  const nodes = edits.flatMap(({ deviceNodes = [] }) => deviceNodes)
  const devices = nodes.map((node) => deviceOf(node, first.user))
  const taken = new Set(devices.map(({ path }) => path))
  const rules = devices.map(({ type, major, minor }, index) => {
    const access = nodes[index]?.permissions || 'rwm'
    return { allow: true, type: type === 'b' ? 'b' : 'c', major, minor, access } as const
  })
  const gids = [...(first.user.additionalGids ?? []), ...edits.flatMap((one) => one.additionalGids ?? [])]
  const hooks = hooksOf(edits)
  return {
    ...rest,
    process: {
      ...first,
      env: withEnv(first.env, edits),
      user: { ...first.user, ...(gids.length === 0 ? {} : { additionalGids: [...new Set(gids)] }) },
    },
    mounts: withMounts(spec.mounts, edits),
    ...(Object.keys(hooks).length === 0 ? {} : { hooks }),
    linux: {
      ...linux,
      devices: [...(linux.devices ?? []).filter(({ path }) => !taken.has(path)), ...devices],
      resources: { ...linux.resources, devices: [...(linux.resources.devices ?? []), ...rules] },
    },
  }
}

function withEnv(env: readonly string[], edits: readonly CdiEdits[]): string[] {
  const byName = new Map(env.map((entry) => [entry.split('=', 1)[0] ?? '', entry]))
  for (const entry of edits.flatMap((one) => one.env ?? [])) byName.set(entry.split('=', 1)[0] ?? '', entry)
  return [...byName.values()]
}

function withMounts(mounts: readonly OciMount[], edits: readonly CdiEdits[]): OciMount[] {
  const added = edits.flatMap((one) => one.mounts ?? []).map(mountOf)
  const taken = new Set(added.map(({ destination }) => destination))
  return [...mounts.filter(({ destination }) => !taken.has(destination)), ...added.sort(byDepth)]
}

function byDepth(left: OciMount, right: OciMount): number {
  return left.destination.split('/').length - right.destination.split('/').length
}

function mountOf({ hostPath, containerPath, type = 'bind', options = [] }: CdiMount): OciMount {
  const isBind = options.some((option) => option === 'bind' || option === 'rbind') || type !== 'bind'
  return { destination: containerPath, type, source: hostPath, options: isBind ? options : ['rbind', ...options] }
}

function hooksOf(edits: readonly CdiEdits[]): Record<string, OciHook[]> {
  const hooks: Record<string, OciHook[]> = {}
  for (const { hookName, path, args, env, timeout } of edits.flatMap((one) => one.hooks ?? [])) {
    const hook = {
      path,
      ...(args === undefined ? {} : { args }),
      ...(env === undefined ? {} : { env }),
      ...(timeout === undefined ? {} : { timeout }),
    }
    hooks[hookName] = [...(hooks[hookName] ?? []), hook]
  }
  return hooks
}

/** Takes numbers that the file omits from the host's node. A node belongs to the container's user unless the file names
 *  an owner. */
function deviceOf(node: CdiDeviceNode, user: { readonly uid: number; readonly gid: number }): OciDevice {
  const own = node.type !== undefined && node.major !== undefined ? undefined : hostNode(node)
  const fileMode = node.fileMode ?? own?.fileMode
  return {
    path: node.path,
    type: (node.type ?? own?.type ?? 'c') as OciDevice['type'],
    major: node.major ?? own?.major ?? 0,
    minor: node.minor ?? own?.minor ?? 0,
    ...(fileMode === undefined ? {} : { fileMode }),
    uid: node.uid ?? user.uid,
    gid: node.gid ?? user.gid,
  }
}

function hostNode({ path, hostPath = path }: CdiDeviceNode): OciDevice {
  try {
    const node = nodeOf(path, statSync(hostPath))
    if (node !== undefined) return node
  } catch (cause) {
    const why = errnoOf(cause) === 'ENOENT' ? 'no such file or directory' : String(errnoOf(cause))
    throw invalidArgument(`CDI device injection failed: failed to stat CDI host device "${hostPath}": ${why}`, {
      cause,
    })
  }
  throw invalidArgument(`CDI device injection failed: "${hostPath}" is not a device node`)
}
