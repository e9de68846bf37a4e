/** The grammar of repository names and tags.
 *  https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const namePattern = new RegExp(`^${component}(?:/${component})*$`)
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/

/** Many clients allow 255 characters for host and name together, so a name can't have more. */
const maxNameLength = 255

/** True for a valid repository name. A valid name has no part `.` or `..`. */
export function isRepositoryName(text: string): boolean {
  return text.length <= maxNameLength && namePattern.test(text)
}

/** True for a valid tag. */
export function isTag(text: string): boolean {
  return tagPattern.test(text)
}
