/** SELinux of this host: whether it is on, the labels that its policy has for containers, and whether the policy knows a
 *  label. selinux(8), selabel_lxc: `lxc_contexts`; https://www.kernel.org/doc/html/latest/admin-guide/LSM/SELinux.html */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../base/index.ts'

/** Where things are; tests have places of their own. */
export interface SelinuxPlaces {
  /** selinuxfs. */
  readonly kernel: string
  /** The label of this process. */
  readonly current: string
  /** Policies, and `config`, which names the one that is loaded. */
  readonly policies: string
  /** Labels for containers that take the place of the policy's own: container-selinux has them there. */
  readonly containers: string
}

const hostPlaces: SelinuxPlaces = {
  kernel: '/sys/fs/selinux',
  current: '/proc/self/attr/current',
  policies: '/etc/selinux',
  containers: '/usr/share/containers/selinux/contexts',
}

/** What the loaded policy says. */
export interface SelinuxPolicy {
  /** The lines of `lxc_contexts`: `process`, `file` and so on. */
  readonly contexts: Readonly<Record<string, string>>
  /** Whether it has this label. */
  knows(label: string): boolean
}

/** The policy that is loaded; undefined on a host without SELinux, or where it is switched off. */
export function selinuxPolicy(places: SelinuxPlaces = hostPlaces): SelinuxPolicy | undefined {
  if (!isSelinuxEnabled(places)) return undefined
  const text = readText(places.containers) ?? readText(join(policyOf(places), 'contexts/lxc_contexts')) ?? ''
  return {
    contexts: parseContexts(text),
    knows: (label) => isKnown(join(places.kernel, 'context'), label),
  }
}

/** True when the kernel enforces or watches a policy. Before one is loaded, processes are labelled `kernel`. */
export function isSelinuxEnabled({ kernel, current }: SelinuxPlaces = hostPlaces): boolean {
  if (readText(join(kernel, 'enforce')) === undefined) return false
  const label = (readText(current) ?? '').replace(/[\0\n]/g, '')
  return label !== '' && label !== 'kernel'
}

function policyOf({ policies }: SelinuxPlaces): string {
  const type = /^SELINUXTYPE\s*=\s*(\S+)/m.exec(readText(join(policies, 'config')) ?? '')?.[1]
  return join(policies, type ?? 'targeted')
}

/** `key = "value"`, with comments. */
function parseContexts(text: string): Readonly<Record<string, string>> {
  const contexts: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const [, key = '', value = ''] = /^\s*([^\s;#=]+)\s*=\s*"?([^"]*?)"?\s*$/.exec(line) ?? []
    if (key !== '' && value !== '') contexts[key] = value
  }
  return contexts
}

/** The kernel takes a label that the policy has, and refuses all others. */
function isKnown(path: string, label: string): boolean {
  try {
    writeFileSync(path, label)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EINVAL') return false
    throw error
  }
}

/** Undefined for what is not there. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EINVAL'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
