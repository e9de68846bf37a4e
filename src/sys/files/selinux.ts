/** SELinux on this host: whether it is enabled, which labels its policy has for containers, and which labels are valid.
 *  selinux(8), selabel_lxc: `lxc_contexts`; https://www.kernel.org/doc/html/latest/admin-guide/LSM/SELinux.html */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../base/index.ts'

/** Paths of SELinux's files, which tests replace. */
export interface SelinuxPlaces {
  /** Mount point of selinuxfs. */
  readonly kernel: string
  /** File with the label of this process. */
  readonly current: string
  /** Directory with policies and `config`, which names the loaded one. */
  readonly policies: string
  /** File with labels for containers, from the package container-selinux; overrides the policy's own. */
  readonly containers: string
}

const hostPlaces: SelinuxPlaces = {
  kernel: '/sys/fs/selinux',
  current: '/proc/self/attr/current',
  policies: '/etc/selinux',
  containers: '/usr/share/containers/selinux/contexts',
}

/** The loaded policy. */
export interface SelinuxPolicy {
  /** The labels in `lxc_contexts` by key: `process`, `file` and so on. */
  readonly contexts: Readonly<Record<string, string>>
  /** True when the policy has this label. */
  knows(label: string): boolean
}

/** The loaded policy; undefined on a host where SELinux is missing or disabled. */
export function selinuxPolicy(places: SelinuxPlaces = hostPlaces): SelinuxPolicy | undefined {
  if (!isSelinuxEnabled(places)) return undefined
  const text = readText(places.containers) ?? readText(join(policyOf(places), 'contexts/lxc_contexts')) ?? ''
  return {
    contexts: parseContexts(text),
    knows: (label) => isKnown(join(places.kernel, 'context'), label),
  }
}

/** True when a policy is loaded, enforcing or permissive. Before one is loaded, the label of processes is `kernel`. */
export function isSelinuxEnabled({ kernel, current }: SelinuxPlaces = hostPlaces): boolean {
  if (readText(join(kernel, 'enforce')) === undefined) return false
  const label = (readText(current) ?? '').replace(/[\0\n]/g, '')
  return label !== '' && label !== 'kernel'
}

function policyOf({ policies }: SelinuxPlaces): string {
  const type = /^SELINUXTYPE\s*=\s*(\S+)/m.exec(readText(join(policies, 'config')) ?? '')?.[1]
  return join(policies, type ?? 'targeted')
}

/** Parses lines of `key = "value"`, with comments. */
function parseContexts(text: string): Readonly<Record<string, string>> {
  const contexts: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const [, key = '', value = ''] = /^\s*([^\s;#=]+)\s*=\s*"?([^"]*?)"?\s*$/.exec(line) ?? []
    if (key !== '' && value !== '') contexts[key] = value
  }
  return contexts
}

/** Asks the kernel whether a label is valid: it accepts labels that the policy has, and refuses all others. */
function isKnown(path: string, label: string): boolean {
  try {
    writeFileSync(path, label)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EINVAL') return false
    throw error
  }
}

/** A file's text; undefined when it can't be read. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EINVAL'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
