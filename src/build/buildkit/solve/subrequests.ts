/** Questions about a Dockerfile that are answered without building it (`--call`, once `--print`), in the form in which
 *  BuildKit's frontend answers them. https://docs.docker.com/build/building/best-practices/ has no page of them;
 *  the members are those of `frontend/subrequests` of github.com/moby/buildkit. */
import { notImplemented } from '../../../base/index.ts'
import {
  checkDockerfile,
  DockerfileError,
  evaluateGlobals,
  outlineOf,
  parseDockerfile,
  targetsOf,
} from '../../dockerfile/index.ts'

/** What is asked. */
export interface Subrequest {
  /** `frontend.outline`. */
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

/** Members of the result. Throws `notImplemented` for other questions, `DockerfileError` for what can't be read. */
export function answerSubrequest(request: Subrequest): Readonly<Record<string, Uint8Array>> {
  const answer = JSON.stringify(answerOf(request))
  const members = { 'result.json': answer, 'result.txt': `${answer}\n`, version: '1.0.0' }
  return Object.fromEntries(Object.entries(members).map(([name, text]) => [name, Buffer.from(text)]))
}

function answerOf(request: Subrequest): object {
  switch (request.id) {
    case 'frontend.outline':
      return outline(request)
    case 'frontend.targets':
      return targets(request)
    case 'frontend.lint':
      return lint(request)
    case 'frontend.subrequests.describe':
      return Object.entries(described).map(([name, description]) => {
        return {
          name,
          version: '1.0.0',
          type: 'rpc',
          description,
          metadata: [{ name: 'result.json' }, { name: 'result.txt' }],
        }
      })
    default:
      throw notImplemented(`the subrequest ${request.id}`)
  }
}

function outline({ text, file, target, buildArgs }: Subrequest): object {
  const { target: name, args, secrets, ssh } = outlineOf(parseDockerfile(text, { file }), target, buildArgs)
  const mounts = (list: typeof secrets) => list.map(({ id, required }) => ({ name: id, required }))
  return {
    ...(name === '' ? {} : { name }),
    args: args.map(({ name: arg, description, value }) => ({ name: arg, description, value })),
    secrets: mounts(secrets),
    ssh: mounts(ssh),
    sources: [Buffer.from(text).toString('base64')],
  }
}

function targets({ text, file }: Subrequest): object {
  return {
    targets: targetsOf(parseDockerfile(text, { file })),
    sources: [Buffer.from(text).toString('base64')],
  }
}

function lint(request: Subrequest): object {
  const { text, file, target, buildArgs } = request
  const source = { filename: file, language: 'Dockerfile', data: Buffer.from(text).toString('base64') }
  try {
    const dockerfile = parseDockerfile(text, { file })
    const scope = evaluateGlobals(dockerfile, { buildArgs, ...(target === undefined ? {} : { target }) })
    const warnings = checkDockerfile(dockerfile, { scope }).warnings.map(({ rule, description, message, range }) => {
      return { ruleName: rule, description, detail: message, location: locationOf(range) }
    })
    return { warnings, sources: [source] }
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error
    const buildError = { message: error.message, location: locationOf(error.range) }
    return { warnings: [], sources: [source], buildError }
  }
}

function locationOf({ start, end }: DockerfileError['range']): object {
  return { sourceIndex: 0, ranges: [{ start: { line: start.line }, end: { line: end.line } }] }
}
