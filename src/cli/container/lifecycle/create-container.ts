/** Creates a container for `create` and `run`, and pulls its image if it is missing. */
import type { ContainerCreateBody } from '../../../api/index.ts'
import { invalidArgument, isKind, messageOf } from '../../../base/index.ts'
import type { CliContext } from '../../command/command.ts'
import type { FlagValues } from '../../flags/flag-values.ts'
import { fs } from '../../terminal/builtins.ts'

const pullPolicies = ['always', 'missing', 'never']

/** Throws a CliError with exit code 125 for an unknown `--pull`. */
export function checkPullPolicy(policy: string): void {
  if (!pullPolicies.includes(policy)) {
    throw invalidArgument(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`)
  }
}

/** Creates the container. Resolves with its id. */
export async function createContainer(
  context: CliContext,
  flags: FlagValues,
  body: ContainerCreateBody,
): Promise<string> {
  const cidFile = flags.string('cidfile')
  if (cidFile !== '' && fs.existsSync(cidFile)) {
    throw invalidArgument(`container ID file found, make sure the other container isn't running or delete ${cidFile}`)
  }
  await checkNames(body.Image ?? '', flags.string('platform'))
  const policy = flags.string('pull', 'missing')
  const image = body.Image ?? ''
  if (policy === 'always') await pull(context, flags, image)
  const options = { name: flags.string('name'), platform: flags.string('platform') || context.settings.defaultPlatform }
  let created: Awaited<ReturnType<CliContext['client']['containers']['create']>>
  try {
    created = await context.client.containers.create(body, options)
  } catch (error) {
    if (policy !== 'missing' || !isKind(error, 'notFound')) throw error
    if (!flags.bool('quiet')) context.errors.write(`Unable to find image '${await familiarImage(image)}' locally\n`)
    await pull(context, flags, image)
    created = await context.client.containers.create(body, options)
  }
  for (const warning of created.Warnings ?? []) context.errors.write(`WARNING: ${warning}\n`)
  if (cidFile !== '') fs.writeFileSync(cidFile, created.Id)
  return created.Id
}

/** Names that no rule of references can refuse. Only other names are parsed here. */
const plainName = /^[a-z0-9][a-z0-9._:/-]*$/

/** Throws `invalidArgument` for an invalid image name or platform. */
async function checkNames(image: string, text: string): Promise<void> {
  if (text === '' && plainName.test(image)) return
  const { parsePlatform, parseReference } = await import('../../../oci/index.ts')
  if (!/^(sha256:)?[0-9a-f]{64}$/.test(image)) parseReference(image)
  if (text === '') return
  try {
    parsePlatform(text)
  } catch (error) {
    throw invalidArgument(`error parsing specified platform: ${messageOf(error)}`, { cause: error })
  }
}

async function familiarImage(image: string): Promise<string> {
  const { familiarReference, parseReference, withDefaultTag } = await import('../../../oci/index.ts')
  return familiarReference(withDefaultTag(parseReference(image)))
}

async function pull(context: CliContext, flags: FlagValues, image: string): Promise<void> {
  const { pullImage } = await import('../../image/pull-image.ts')
  await pullImage(context, image, {
    platform: flags.string('platform') || context.settings.defaultPlatform,
    quiet: flags.bool('quiet'),
    progress: context.errors,
  })
}
