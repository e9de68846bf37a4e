/** The mounts in this process's mount namespace, as the kernel lists them. */
import { readFileSync } from 'node:fs'

/** One line of mountinfo (proc_pid_mountinfo(5)). */
export interface MountInfo {
  readonly id: number
  readonly parentId: number
  /** Directory within the file system that is mounted. */
  readonly root: string
  readonly mountPoint: string
  readonly options: readonly string[]
  /** Propagation marks: 'shared:N', 'master:N', 'unbindable'. A private mount has none. */
  readonly propagation: readonly string[]
  readonly type: string
  readonly source: string
  readonly superOptions: readonly string[]
}

/** All mounts at or below the path `prefix`; without it, all mounts. Parents come before children. */
export function listMounts(prefix?: string): MountInfo[] {
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'))
  if (prefix === undefined || prefix === '/') return mounts
  return mounts.filter(({ mountPoint }) => mountPoint === prefix || mountPoint.startsWith(`${prefix}/`))
}

/** Parses the text of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export function parseMountInfo(text: string): MountInfo[] {
  const mounts: MountInfo[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    const fields = line.split(' ')
    const separator = fields.indexOf('-', 6)
    if (separator < 0) continue
    const [id = '', parentId = '', , root = '', mountPoint = '', options = ''] = fields
    const [type = '', source = '', superOptions = ''] = fields.slice(separator + 1)
    mounts.push({
      id: Number(id),
      parentId: Number(parentId),
      root: decodeOctal(root),
      mountPoint: decodeOctal(mountPoint),
      options: options.split(','),
      propagation: fields.slice(6, separator),
      type,
      source: decodeOctal(source),
      superOptions: superOptions.split(','),
    })
  }
  return mounts
}

/** The kernel writes space, tab, newline and backslash as octal. */
function decodeOctal(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
