/** Answers questions about a Dockerfile without building it (`--call`, formerly `--print`), in the form of BuildKit's
 *  frontend. The form is defined by `frontend/subrequests` of github.com/moby/buildkit; Docker's documentation does not
 *  describe it. */
import { notImplemented } from '../../../base/index.ts'
import {
  checkDockerfile,
  DockerfileError,
  evaluateGlobals,
  outlineOf,
  parseDockerfile,
  targetsOf,
} from '../../dockerfile/index.ts'
import {
  describedTextOf,
  type LintAnswer,
  type Location,
  lintText,
  outlineText,
  targetsText,
} from './subrequest-text.ts'

/** A question. */
export interface Subrequest {
  /** Such as `frontend.outline`. */
  readonly id: string
  readonly text: string
  readonly file: string
  readonly target: string | undefined
  readonly buildArgs: Readonly<Record<string, string>>
}

const described = {
  'frontend.outline': 'List all parameters current build target supports',
  'frontend.targets': 'List all targets current build supports',
  'frontend.lint': 'Lint a Dockerfile',
  'frontend.subrequests.describe': 'List available subrequest types',
}

const describedText = describedTextOf(described)

/** Gives the members of the answer. Throws `notImplemented` for other questions, `DockerfileError` for a faulty
 *  Dockerfile. */
export function answerSubrequest(request: Subrequest): Readonly<Record<string, Uint8Array>> {
  const members = { ...answerOf(request), version: '1.0.0' }
  return Object.fromEntries(Object.entries(members).map(([name, text]) => [name, Buffer.from(text)]))
}

/** The answer as JSON and as text. Clients show the text when they can't format the JSON. */
function answerOf(request: Subrequest): Readonly<Record<string, string>> {
  switch (request.id) {
    case 'frontend.outline': {
      const answer = outline(request)
      return membersOf(answer, outlineText(answer))
    }
    case 'frontend.targets': {
      const answer = targets(request)
      return membersOf(answer, targetsText(answer))
    }
    case 'frontend.lint': {
      const answer = lint(request)
      const isClean = answer.warnings.length === 0 && answer.buildError === undefined
      return { ...membersOf(answer, lintText(answer, request)), 'result.statuscode': isClean ? '0' : '1' }
    }
    case 'frontend.subrequests.describe': {
      const answer = Object.entries(described).map(([name, description]) => {
        return {
          name,
          version: '1.0.0',
          type: 'rpc',
          description,
          metadata: [{ name: 'result.json' }, { name: 'result.txt' }],
        }
      })
      return membersOf(answer, describedText)
    }
    default:
      throw notImplemented(`the subrequest ${request.id}`)
  }
}

function membersOf(answer: object, text: string): Readonly<Record<string, string>> {
  return { 'result.json': JSON.stringify(answer), 'result.txt': text }
}

function outline({ text, file, target, buildArgs }: Subrequest) {
  const { target: name, args, secrets, ssh } = outlineOf(parseDockerfile(text, { file }), target, buildArgs)
  const mounts = (list: typeof secrets) => list.map(({ id, required }) => ({ name: id, required }))
  return {
    name,
    args: args.map(({ name: arg, description, value }) => ({ name: arg, description, value })),
    secrets: mounts(secrets),
    ssh: mounts(ssh),
    sources: [Buffer.from(text).toString('base64')],
  }
}

function targets({ text, file }: Subrequest) {
  return {
    targets: targetsOf(parseDockerfile(text, { file })),
    sources: [Buffer.from(text).toString('base64')],
  }
}

function lint(request: Subrequest): LintAnswer {
  const { text, file, target, buildArgs } = request
  const source = { filename: file, language: 'Dockerfile', data: Buffer.from(text).toString('base64') }
  try {
    const dockerfile = parseDockerfile(text, { file })
    const scope = evaluateGlobals(dockerfile, { buildArgs, ...(target === undefined ? {} : { target }) })
    const warnings = checkDockerfile(dockerfile, { scope }).warnings.map(
      ({ rule, description, url, message, range }) => {
        return { ruleName: rule, description, url, detail: message, location: locationOf(range) }
      },
    )
    return { warnings, sources: [source] }
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error
    const buildError = { message: error.message, location: locationOf(error.range) }
    return { warnings: [], sources: [source], buildError }
  }
}

function locationOf({ start, end }: DockerfileError['range']): Location {
  return { sourceIndex: 0, ranges: [{ start: { line: start.line }, end: { line: end.line } }] }
}
