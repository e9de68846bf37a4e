/** Sources of ADD outside the context: URLs and git repositories. https://docs.docker.com/reference/dockerfile/#add */

/** A source that has to be fetched. */
export type RemoteSource =
  | { readonly kind: 'url'; readonly url: string }
  | {
      readonly kind: 'git'
      readonly remote: string
      /** Branch, tag or commit. Undefined: the default branch. */
      readonly reference?: string
      readonly subdirectory?: string
    }

/** Parses a source. Undefined when it is a path in the context. */
export function remoteSource(text: string): RemoteSource | undefined {
  const isHttp = /^https?:\/\//i.test(text)
  const hash = text.indexOf('#')
  const remote = hash === -1 ? text : text.slice(0, hash)
  const isGit =
    /^(?:git|ssh):\/\//i.test(remote) ||
    /^[A-Za-z0-9_][A-Za-z0-9_.-]*@[^/\s:]+:\S/.test(remote) ||
    (isHttp && /^[^?]*\.git\/?(?:\?.*)?$/.test(remote))
  if (!isGit) return isHttp ? { kind: 'url', url: text } : undefined
  const fragment = hash === -1 ? '' : text.slice(hash + 1)
  const colon = fragment.indexOf(':')
  const reference = colon === -1 ? fragment : fragment.slice(0, colon)
  const subdirectory = colon === -1 ? '' : fragment.slice(colon + 1)
  return {
    kind: 'git',
    remote,
    ...(reference === '' ? {} : { reference }),
    ...(subdirectory === '' ? {} : { subdirectory }),
  }
}
