/** SELinux labels for containers: one for the processes, one for their files. A pair of MCS categories separates each
 *  container from all others: a process can access only files with its own pair, or with none.
 *  https://docs.docker.com/reference/cli/docker/container/run/#security-opt; selinux(8), mcstransd(8) */
import { randomInt } from 'node:crypto'
import { conflict, invalidArgument } from '../../base/index.ts'
import type { SelinuxPolicy } from '../../sys/index.ts'

/** Labels of one container. `''` means no label: the process then inherits its parent's. */
export interface ContainerLabels {
  readonly process: string
  readonly mount: string
}

/** The parts of a label. `level` is absent where the policy has no levels. */
interface LabelParts {
  readonly user: string
  readonly role: string
  readonly type: string
  readonly level?: string | undefined
}

/** The number of categories in policies. */
const allCategories = 1024
/** The level of unconfined containers; no other container gets it. */
const unconfinedLevel = 's0:c1022,c1023'
const sharedLevel = 's0'
const maxTries = 100

/** Allocates labels, so that no two containers get the same pair of categories by default. At boot, reserve the labels
 *  of the existing containers. */
export class SelinuxLabels {
  readonly #policy: SelinuxPolicy
  readonly #process: LabelParts
  readonly #file: LabelParts
  /** The number of containers with each level. */
  readonly #levels = new Map<string, number>()
  readonly #categories: number

  private constructor(policy: SelinuxPolicy, process: LabelParts, file: LabelParts, categories: number) {
    this.#policy = policy
    this.#process = process
    this.#file = file
    this.#categories = categories
    this.#levels.set(unconfinedLevel, 1)
  }

  /** Undefined for a policy without labels for containers; as with Docker, containers then get none. */
  static of(policy: SelinuxPolicy, categories: number = allCategories): SelinuxLabels | undefined {
    const { process, file } = policy.contexts
    if (process === undefined || file === undefined) return undefined
    return new SelinuxLabels(policy, parseLabel(process), parseLabel(file), categories)
  }

  /** Label of layers' files on disk. A container's mount shows them under another label, but the kernel checks this one
   *  too when it maps a program. */
  get layers(): string {
    return this.#policy.contexts.ro_file ?? format(this.#file)
  }

  /** Allocates labels for a container. `options` are the values of `--security-opt label=…`; later ones win. Throws
   *  `invalidArgument` for labels that the policy does not have, and `conflict` when all levels are in use. */
  allocate(options: readonly string[] = []): ContainerLabels {
    if (options.includes('disable')) return { process: '', mount: format(withLevel(this.#file, unconfinedLevel)) }
    let process = this.#process
    let file = this.#file
    for (const option of options) {
      const [, key = '', value = ''] = /^([a-z]+):([\s\S]*)$/.exec(option) ?? []
      if (key === 'filetype') file = { ...file, type: value }
      else if (isPart(key)) process = { ...process, [key]: value }
      if (key === 'user' || key === 'level') file = { ...file, [key]: value }
    }
    const isGiven = options.some((option) => option.startsWith('level:'))
    if (!isGiven && process.level !== undefined) {
      const level = this.#freeLevel()
      process = withLevel(process, level)
      file = withLevel(file, level)
    }
    const labels = { process: format(process), mount: format(file) }
    for (const label of [labels.process, labels.mount]) {
      if (!this.#policy.knows(label)) throw invalidArgument(`SELinux label ${label} is not in this host's policy`)
    }
    this.reserve(labels.process)
    return labels
  }

  /** Keeps `allocate` from giving the level of this label to another container. */
  reserve(label: string): void {
    const level = levelOf(label)
    if (level !== undefined) this.#levels.set(level, (this.#levels.get(level) ?? 0) + 1)
  }

  /** Ends one `reserve` or `allocate`. */
  release(label: string): void {
    const level = levelOf(label)
    const users = level === undefined ? 0 : (this.#levels.get(level) ?? 0)
    if (level === undefined || users === 0) return
    if (users === 1) this.#levels.delete(level)
    else this.#levels.set(level, users - 1)
  }

  #freeLevel(): string {
    const categories = this.#categories
    for (let tries = 0; tries < maxTries; tries += 1) {
      const [first, second] = [randomInt(categories), randomInt(categories)]
      if (first === second) continue
      const level = levelWith(first, second)
      if (!this.#levels.has(level)) return level
    }
    for (let first = 0; first < categories; first += 1) {
      for (let second = first + 1; second < categories; second += 1) {
        const level = levelWith(first, second)
        if (!this.#levels.has(level)) return level
      }
    }
    throw conflict('no SELinux categories are left: every pair belongs to a container')
  }
}

/** The label for files that all containers may use: this label without categories. */
export function sharedLabel(label: string): string {
  const parts = parseLabel(label)
  return parts.level === undefined ? label : format(withLevel(parts, sharedLevel))
}

/** Values of `--security-opt label=…` that give another container the label of this process. */
export function labelOptions(label: string): string[] {
  if (label === '') return []
  const { user, role, type, level } = parseLabel(label)
  return [`user:${user}`, `role:${role}`, `type:${type}`, ...(level === undefined ? [] : [`level:${level}`])]
}

function levelWith(one: number, other: number): string {
  return `s0:c${Math.min(one, other)},c${Math.max(one, other)}`
}

function isPart(key: string): key is keyof LabelParts {
  return ['user', 'role', 'type', 'level'].includes(key)
}

function withLevel(parts: LabelParts, level: string): LabelParts {
  return parts.level === undefined ? parts : { ...parts, level }
}

function levelOf(label: string): string | undefined {
  return label === '' ? undefined : parseLabel(label).level
}

/** Parses `user:role:type[:level]`; a level may contain colons. */
function parseLabel(label: string): LabelParts {
  const [, user = '', role = '', type = '', level] = /^([^:]*):([^:]*):([^:]*)(?::([\s\S]*))?$/.exec(label) ?? []
  return { user, role, type, level }
}

function format({ user, role, type, level }: LabelParts): string {
  return [user, role, type, ...(level === undefined ? [] : [level])].join(':')
}
