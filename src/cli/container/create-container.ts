/** Creates a container for `create` and `run`, and fetches its image when it isn't there. */
import type { ContainerCreateBody } from '../../api/index.ts'
import { invalidArgument, isKind } from '../../base/index.ts'
import { fs } from '../builtins.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../command.ts'
import type { FlagValues } from '../flags/flag-values.ts'

const pullPolicies = ['always', 'missing', 'never']

/** Throws with exit code 125 for an unknown `--pull`. */
export function checkPullPolicy(policy: string): void {
  if (!pullPolicies.includes(policy)) {
    throw invalidArgument(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`)
  }
}

/** Resolves with the new container's id. */
export async function createContainer(
  context: CliContext,
  flags: FlagValues,
  body: ContainerCreateBody,
): Promise<string> {
  const cidFile = flags.string('cidfile')
  if (cidFile !== '' && fs.existsSync(cidFile)) {
    throw new CliError(1, `container ID file found, make sure the other container isn't running or delete ${cidFile}`)
  }
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

async function familiarImage(image: string): Promise<string> {
  const { familiarReference, parseReference, withDefaultTag } = await import('../../oci/index.ts')
  return familiarReference(withDefaultTag(parseReference(image)))
}

async function pull(context: CliContext, flags: FlagValues, image: string): Promise<void> {
  const { pullImage } = await import('../image/pull-image.ts')
  await pullImage(context, image, {
    platform: flags.string('platform') || context.settings.defaultPlatform,
    quiet: flags.bool('quiet'),
    progress: context.errors,
  })
}
