/** What `RUN --mount` can be. A relative target is below the working directory. https://docs.docker.com/reference/dockerfile/#run---mount */

/** The owner and the permissions of what is mounted, where it is made for the mount. */
export interface MountOwner {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** Files of the context (no `from`), a stage, a named context or an image. What is written is thrown away. */
export interface BindMount {
  readonly type: 'bind'
  readonly target: string
  readonly source: string
  readonly from?: string
  readonly readOnly: boolean
}

/** A directory that builds share; `from` and `source` say what it begins with. Without `id`, its target is it. */
export interface CacheMount extends MountOwner {
  readonly type: 'cache'
  readonly id?: string
  readonly target: string
  readonly source: string
  readonly from?: string
  readonly readOnly: boolean
  readonly sharing: 'shared' | 'private' | 'locked'
}

/** Memory; without a size the kernel's default of half of it. */
export interface TmpfsMount {
  readonly type: 'tmpfs'
  readonly target: string
  readonly sizeBytes?: number
}

/** As a file (`target`), a variable (`env`), or both. */
export interface SecretMount extends MountOwner {
  readonly type: 'secret'
  readonly id: string
  readonly target?: string
  readonly env?: string
  readonly required: boolean
}

/** An agent's socket; without a target at `/run/buildkit/ssh_agent.N`. */
export interface SshMount extends MountOwner {
  readonly type: 'ssh'
  readonly id: string
  readonly target?: string
  readonly required: boolean
}

/** One `--mount`, defaults included. */
export type Mount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount
