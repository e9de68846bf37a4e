/** `.dockerignore` files: which paths of a context are left out. Also what `--exclude` of COPY and ADD matches.
 *  https://docs.docker.com/build/building/context/#dockerignore-files
 *
 *  Own code: @balena/dockerignore takes names like `a+b`, `notes (1).txt`, `{x}` for regular expressions, throws
 *  SyntaxError at `[`, ignores case unless told not to, and can't tell where a walk may stop. */
import { BerthError, invalidArgument, messageOf } from '../../../base/index.ts'
import { cleanPath } from './container-path.ts'
import { PathPattern, type PatternState } from './path-pattern.ts'

interface Rule {
  readonly pattern: PathPattern
  /** `!`: brings back what it matches. */
  readonly negated: boolean
}

/** The patterns of an ignore file, in order: without comments, empty lines and white space at their ends. */
export function parseIgnoreFile(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** Names of the ignore files that a Dockerfile has, the better one first; only one of them counts. */
export function ignoreFileNames(dockerfile: string): readonly string[] {
  return [`${dockerfile}.dockerignore`, '.dockerignore']
}

/** Decides which paths are ignored: the last pattern that matches a path, or a directory that it is in, decides. */
export class IgnoreMatcher {
  readonly #rules: readonly Rule[]

  /** Throws `invalidArgument` that names the pattern which is malformed. */
  constructor(patterns: readonly string[]) {
    this.#rules = patterns.map(parseRule).filter((rule) => rule !== undefined)
  }

  /** True when nothing is ever ignored. */
  get isEmpty(): boolean {
    return this.#rules.every((rule) => rule.negated)
  }

  /** The context's root, from which a walk goes down. */
  root(): IgnoredDirectory {
    return new IgnoredDirectory(
      false,
      this.#rules.map((rule) => ({ rule, state: rule.pattern.start() })),
    )
  }

  /** True when a path (relative to the context, with slashes) is left out. A walk over many is faster by `root`. */
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

/** A place in a tree: whether it is ignored, and whether it is worth going in.
 *  Rules before the last that matched can't decide any more, those that lead nowhere neither: both are dropped. */
export class IgnoredDirectory {
  /** This directory or file is left out. */
  readonly ignored: boolean
  readonly #live: readonly Live[]

  constructor(ignored: boolean, live: readonly Live[]) {
    this.ignored = ignored
    this.#live = live
  }

  /** An entry of this directory, by its name. */
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

  /** False when all below is ignored as well, so that a walk need not go in: it is ignored, and no later
   *  exception can match anything in it. */
  get worthEntering(): boolean {
    return !this.ignored || this.#live.some(({ rule, state }) => rule.negated && rule.pattern.canMatchBelow(state))
  }
}

/** The patterns as those take them who know nothing of slashes at the beginning or the end: BuildKit's clients. Throws
 *  `invalidArgument` for an exception of nothing. */
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
  // The root itself is never left out.
  return clean === '.' || clean === '/' ? undefined : { text: clean.replace(/^\//, ''), negated }
}
