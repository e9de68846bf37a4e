/** Labels of SELinux for containers: what a process runs under, and what its files look like to it. Two categories of
 *  MCS tell each container from all others: a process reaches only files that have its own pair, or none.
 *  https://docs.docker.com/reference/cli/docker/container/run/#security-opt; selinux(8), mcstransd(8) */
import { randomInt } from 'node:crypto'
import { conflict, invalidArgument } from '../../base/index.ts'
import type { SelinuxPolicy } from '../../sys/index.ts'

/** Labels of one container. Empty: none, the process stays under the label that its parent gives it. */
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

/** As many categories as policies have. */
const allCategories = 1024
/** That of containers without confinement: no other gets it. */
const unconfinedLevel = 's0:c1022,c1023'
const sharedLevel = 's0'
const maxTries = 100

/** Gives labels to containers, each pair of categories to one. What records hold is reserved at boot. */
export class SelinuxLabels {
  readonly #policy: SelinuxPolicy
  readonly #process: LabelParts
  readonly #file: LabelParts
  /** How many containers have each level. */
  readonly #levels = new Map<string, number>()
  readonly #categories: number

  private constructor(policy: SelinuxPolicy, process: LabelParts, file: LabelParts, categories: number) {
    this.#policy = policy
    this.#process = process
    this.#file = file
    this.#categories = categories
    this.#levels.set(unconfinedLevel, 1)
  }

  /** Undefined for a policy that has no labels for containers, as Docker then gives none. */
  static of(policy: SelinuxPolicy, categories: number = allCategories): SelinuxLabels | undefined {
    const { process, file } = policy.contexts
    if (process === undefined || file === undefined) return undefined
    return new SelinuxLabels(policy, parseLabel(process), parseLabel(file), categories)
  }

  /** What files of layers are labelled with on the disk. They are shown under another label, but the kernel asks for this
   *  one too when a program is mapped. */
  get layers(): string {
    return this.#policy.contexts.ro_file ?? format(this.#file)
  }

  /** New labels; `options` are those of `--security-opt label=…`, later ones winning. Throws `invalidArgument` for
   *  labels that the policy does not have, `conflict` when all levels are given out. */
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

  /** Keeps the level of a label from being given to others. */
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

/** The label of files that all containers may use. */
export function sharedLabel(label: string): string {
  const parts = parseLabel(label)
  return parts.level === undefined ? label : format(withLevel(parts, sharedLevel))
}

/** Options that give another container the label of this process. */
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

/** `user:role:type[:level]`; a level has colons of its own. */
function parseLabel(label: string): LabelParts {
  const [, user = '', role = '', type = '', level] = /^([^:]*):([^:]*):([^:]*)(?::([\s\S]*))?$/.exec(label) ?? []
  return { user, role, type, level }
}

function format({ user, role, type, level }: LabelParts): string {
  return [user, role, type, ...(level === undefined ? [] : [level])].join(':')
}
