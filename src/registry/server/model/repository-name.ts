/** The grammar of what stands in a registry's paths.
 *  https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const namePattern = new RegExp(`^${component}(?:/${component})*$`)
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/

/** With the registry's host many clients allow 255 characters; a name alone can have no more. */
export const maxNameLength = 255

/** True for a repository's name. Such a name holds nothing that a file system could take for a way up. */
export function isRepositoryName(text: string): boolean {
  return text.length <= maxNameLength && namePattern.test(text)
}

/** True for a tag. */
export function isTag(text: string): boolean {
  return tagPattern.test(text)
}
