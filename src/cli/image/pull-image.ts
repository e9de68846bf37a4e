/** Pulls an image for `pull`, `run` and `create`. */
import { throwProgressError } from '../../client/index.ts'
import { familiarName, parseReference, type Reference, withDefaultTag } from '../../oci/index.ts'
import type { CliContext } from '../command.ts'
import type { Output } from '../terminal/output.ts'
import { ProgressDisplay } from '../terminal/progress-display.ts'

export interface PullImageOptions {
  readonly platform: string
  readonly quiet: boolean
  /** Where the progress is shown. */
  readonly progress: Output
  readonly allTags?: boolean
}

/** Resolves with the reference that was pulled. */
export async function pullImage(context: CliContext, text: string, options: PullImageOptions): Promise<Reference> {
  const parsed = parseReference(text)
  const reference = options.allTags === true ? parsed : withDefaultTag(parsed)
  const registryAuth = authFor(context, reference)
  const stream = context.client.images.pull({
    fromImage: familiarName(reference),
    tag: reference.digest ?? reference.tag,
    platform: options.platform,
    registryAuth,
  })
  const display = new ProgressDisplay(options.progress)
  for await (const message of stream) {
    throwProgressError(message)
    if (!options.quiet) display.show(message)
  }
  return reference
}

const hubKey = 'https://index.docker.io/v1/'

/** Credentials that `docker login` left for the registry, as the API's header takes them. */
function authFor({ settings }: CliContext, { registry }: Reference): string | undefined {
  const auths = settings.file().auths ?? {}
  const key = registry === 'docker.io' ? hubKey : registry
  const entry = auths[key] ?? auths[`https://${registry}`] ?? auths[`http://${registry}`]
  if (entry === undefined) return undefined
  const [username = '', ...password] = Buffer.from(entry.auth ?? '', 'base64')
    .toString('utf8')
    .split(':')
  const auth = {
    username,
    password: password.join(':'),
    serveraddress: key,
    ...(entry.identitytoken === undefined ? {} : { identitytoken: entry.identitytoken }),
  }
  return Buffer.from(JSON.stringify(auth)).toString('base64url')
}
