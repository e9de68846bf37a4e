/** The Container Device Interface: files on the host that say what a device needs inside a container. They are read
 *  again for each start that requests a device.
 *  https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, invalidArgument, messageOf } from '../../base/index.ts'

/** What a device changes in a container's configuration. Every member may be missing. */
export interface CdiEdits {
  readonly env?: readonly string[]
  readonly deviceNodes?: readonly CdiDeviceNode[]
  readonly mounts?: readonly CdiMount[]
  readonly hooks?: readonly CdiHook[]
  readonly additionalGids?: readonly number[]
}

/** A device node to make in the container. */
export interface CdiDeviceNode {
  readonly path: string
  /** The node on the host; defaults to `path`. */
  readonly hostPath?: string
  readonly type?: string
  readonly major?: number
  readonly minor?: number
  readonly fileMode?: number
  readonly permissions?: string
  readonly uid?: number
  readonly gid?: number
}

/** A mount to add to the container. */
export interface CdiMount {
  readonly hostPath: string
  readonly containerPath: string
  readonly type?: string
  readonly options?: readonly string[]
}

/** A program that the OCI runtime runs at one point of the container's life. */
export interface CdiHook {
  /** The OCI name of the hook, such as `createContainer`. */
  readonly hookName: string
  readonly path: string
  readonly args?: readonly string[]
  readonly env?: readonly string[]
  readonly timeout?: number
}

interface CdiSpec {
  readonly kind: string
  readonly containerEdits?: CdiEdits
  readonly annotations?: Readonly<Record<string, string>>
  readonly devices: readonly {
    readonly name: string
    readonly annotations?: Readonly<Record<string, string>>
    readonly containerEdits?: CdiEdits
  }[]
}

/** A device, with the edits of its file. */
export interface CdiDevice {
  readonly edits: CdiEdits
  /** Edits for all devices of the same file; they are applied once. */
  readonly common: CdiEdits | undefined
  /** The device's own annotations and those of its file. */
  readonly annotations: Readonly<Record<string, string>>
}

/** `vendor.com/class=name`. */
const qualifiedName = /^[A-Za-z][\w.-]*\/[A-Za-z][\w.-]*=[A-Za-z0-9][\w.:-]*$/

/** Reads every device, by qualified name. A device in a later directory replaces one of the same name in an earlier
 *  directory. A device that two files of the same directory define is left out. Files that can't be read are skipped;
 *  `problems` says why. */
export async function readCdiDevices(directories: readonly string[]): Promise<{
  readonly devices: ReadonlyMap<string, CdiDevice>
  readonly problems: readonly string[]
}> {
  // The YAML parser reads JSON as well. It is loaded here because most daemons never need it.
  const { parse } = await import('yaml')
  const devices = new Map<string, CdiDevice>()
  const problems: string[] = []
  for (const directory of directories) {
    const here = new Map<string, CdiDevice | undefined>()
    for (const name of specNames(directory)) {
      const path = join(directory, name)
      try {
        for (const [key, device] of devicesOf(parse(readFileSync(path, 'utf8')) as unknown)) {
          here.set(key, here.has(key) ? undefined : device)
        }
      } catch (error) {
        problems.push(`${path}: ${messageOf(error)}`)
      }
    }
    for (const [key, device] of here) {
      if (device !== undefined) devices.set(key, device)
      else {
        devices.delete(key)
        problems.push(`${directory}: device ${key} is in several files`)
      }
    }
  }
  return { devices, problems }
}

function specNames(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => /\.(json|ya?ml)$/.test(name))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return []
    throw error
  }
}

function devicesOf(document: unknown): [string, CdiDevice][] {
  const spec = checked(document)
  return spec.devices.map(({ name, annotations, containerEdits = {} }) => {
    const key = `${spec.kind}=${name}`
    if (!qualifiedName.test(key)) throw invalidArgument(`invalid CDI device name ${JSON.stringify(key)}`)
    return [
      key,
      { edits: containerEdits, common: spec.containerEdits, annotations: { ...spec.annotations, ...annotations } },
    ]
  })
}

/** Only root can write these files, so the check covers only what would break the daemon. */
function checked(document: unknown): CdiSpec {
  const spec = (document ?? {}) as Partial<CdiSpec & { cdiVersion: string }>
  if (!/^v?[01]\.\d+\.\d+$/.test(spec.cdiVersion ?? '')) {
    throw invalidArgument(`invalid CDI spec: version ${JSON.stringify(spec.cdiVersion ?? '')} is not known`)
  }
  if (typeof spec.kind !== 'string') throw invalidArgument('invalid CDI spec: no kind')
  if (!Array.isArray(spec.devices)) throw invalidArgument('invalid CDI spec: no devices')
  for (const edits of [spec.containerEdits, ...spec.devices.map((device) => device?.containerEdits)]) checkEdits(edits)
  return spec as CdiSpec
}

function checkEdits(edits: CdiEdits | undefined): void {
  for (const list of [edits?.env, edits?.deviceNodes, edits?.mounts, edits?.hooks, edits?.additionalGids]) {
    if (list !== undefined && !Array.isArray(list)) throw invalidArgument('invalid CDI spec: containerEdits')
  }
  for (const node of edits?.deviceNodes ?? []) absolute(node?.path, 'a device node')
  for (const mount of edits?.mounts ?? []) {
    absolute(mount?.hostPath, 'a mount')
    absolute(mount?.containerPath, 'a mount')
  }
  for (const hook of edits?.hooks ?? []) {
    absolute(hook?.path, 'a hook')
    if (!hookNames.has(hook.hookName)) throw invalidArgument(`CDI hook ${hook.hookName} is not run by Berth`)
  }
}

/** The hooks that the runtime's create runs, which are the only ones that drivers use. Hooks of start and removal would
 *  not run, because Berth does without the OCI runtime there. */
const hookNames: ReadonlySet<string> = new Set(['prestart', 'createRuntime', 'createContainer', 'startContainer'])

function absolute(path: unknown, what: string): void {
  if (typeof path !== 'string' || !path.startsWith('/')) throw invalidArgument(`invalid CDI spec: path of ${what}`)
}
