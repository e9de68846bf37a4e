/** `.dockerignore` files: patterns for paths of a context that are left out. `--exclude` of COPY and ADD uses the same
 *  patterns. https://docs.docker.com/build/building/context/#dockerignore-files
 *  Own code, because @balena/dockerignore treats names like `a+b`, `notes (1).txt` and `{x}` as regular expressions,
 *  throws SyntaxError at `[`, ignores case by default, and can't tell where a walk may stop. */
import { BerthError, invalidArgument, messageOf } from '../../../base/index.ts'
import { cleanPath } from './container-path.ts'
import { PathPattern, type PatternState } from './path-pattern.ts'

interface Rule {
  readonly pattern: PathPattern
  /** The pattern had a `!`: it brings back what it matches. */
  readonly negated: boolean
}

/** The patterns of an ignore file, in order, without comments, empty lines and surrounding white space. */
export function parseIgnoreFile(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** The possible names of a Dockerfile's ignore file, in order of preference. Only the first one that exists is used. */
export function ignoreFileNames(dockerfile: string): readonly string[] {
  return [`${dockerfile}.dockerignore`, '.dockerignore']
}

/** Decides which paths are ignored. The last pattern that matches a path, or a directory above it, decides. */
export class IgnoreMatcher {
  readonly #rules: readonly Rule[]

  /** Throws `invalidArgument`, with the pattern's text, for a malformed pattern. */
  constructor(patterns: readonly string[]) {
    this.#rules = patterns.map(parseRule).filter((rule) => rule !== undefined)
  }

  /** True when nothing is ever ignored. */
  get isEmpty(): boolean {
    return this.#rules.every((rule) => rule.negated)
  }

  /** The context's root, where a walk starts. */
  root(): IgnoredDirectory {
    return new IgnoredDirectory(
      false,
      this.#rules.map((rule) => ({ rule, state: rule.pattern.start() })),
    )
  }

  /** True when the path is left out. The path is relative to the context, with slashes. For many paths, a walk from
   *  `root` is faster. */
  ignores(path: string): boolean {
    return this.at(path).ignored
  }

  /** The place of a path. */
  at(path: string): IgnoredDirectory {
    let directory = this.root()
    for (const part of cleanPath(`/${path}`).split('/')) if (part !== '') directory = directory.enter(part)
    return directory
  }
}

/** A rule that may still match something further down. */
interface Live {
  readonly rule: Rule
  readonly state: PatternState
}

/** A place in a tree: whether it is ignored, and whether a walk should enter it. Rules that can't affect anything below
 *  are dropped: those before the last match, and those that can't match below. */
export class IgnoredDirectory {
  /** True when this directory or file is left out. */
  readonly ignored: boolean
  readonly #live: readonly Live[]

  constructor(ignored: boolean, live: readonly Live[]) {
    this.ignored = ignored
    this.#live = live
  }

  /** The entry of this directory with that name. */
  enter(name: string): IgnoredDirectory {
    if (this.#live.length === 0) return this
    let { ignored } = this
    let live: Live[] = []
    for (const { rule, state } of this.#live) {
      const next = rule.pattern.enter(state, name)
      if (next.length === 0) continue
      if (rule.pattern.isMatch(next)) {
        ignored = !rule.negated
        live = []
      } else live.push({ rule, state: next })
    }
    return new IgnoredDirectory(ignored, live)
  }

  /** False when everything below is ignored too, so a walk can skip the directory: it is ignored, and no later
   *  exception can match in it. */
  get worthEntering(): boolean {
    return !this.ignored || this.#live.some(({ rule, state }) => rule.negated && rule.pattern.canMatchBelow(state))
  }
}

/** The patterns in the form that BuildKit's clients expect, without slashes at the beginning and end. Throws
 *  `invalidArgument` for an empty exception. */
export function plainPatterns(patterns: readonly string[]): readonly string[] {
  return patterns
    .map(parseLine)
    .filter((one) => one !== undefined)
    .map(({ text, negated }) => `${negated ? '!' : ''}${text}`)
}

function parseRule(line: string): Rule | undefined {
  const parsed = parseLine(line)
  if (parsed === undefined) return undefined
  try {
    return { pattern: new PathPattern(parsed.text), negated: parsed.negated }
  } catch (cause) {
    throw new BerthError('invalidArgument', `failed to parse ignore pattern: ${messageOf(cause)}`, { cause })
  }
}

function parseLine(line: string): { readonly text: string; readonly negated: boolean } | undefined {
  const negated = line.startsWith('!')
  const text = (negated ? line.slice(1) : line).trim()
  if (text === '') {
    if (negated) throw invalidArgument('illegal exclusion pattern: "!"')
    return undefined
  }
  const clean = cleanPath(text)
  // The root is never left out.
  return clean === '.' || clean === '/' ? undefined : { text: clean.replace(/^\//, ''), negated }
}
