/** The kinds of `RUN --mount`. A relative target is below the working directory.
 *  https://docs.docker.com/reference/dockerfile/#run---mount */

/** Owner and permissions of a file or directory that is created for the mount. */
export interface MountOwner {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** Files of the context (without `from`), a stage, a named context or an image. Written data is discarded. */
export interface BindMount {
  readonly type: 'bind'
  readonly target: string
  readonly source: string
  readonly from?: string
  readonly readOnly: boolean
}

/** A directory that builds share. `from` and `source` give its initial contents. Without `id`, the target is the id. */
export interface CacheMount extends MountOwner {
  readonly type: 'cache'
  readonly id?: string
  readonly target: string
  readonly source: string
  readonly from?: string
  readonly readOnly: boolean
  readonly sharing: 'shared' | 'private' | 'locked'
}

/** A tmpfs. Without a size, the kernel's default: half of the memory. */
export interface TmpfsMount {
  readonly type: 'tmpfs'
  readonly target: string
  readonly sizeBytes?: number
}

/** A secret as a file (`target`), a variable (`env`), or both. */
export interface SecretMount extends MountOwner {
  readonly type: 'secret'
  readonly id: string
  readonly target?: string
  readonly env?: string
  readonly required: boolean
}

/** A socket of an SSH agent. Default target: `/run/buildkit/ssh_agent.N`. */
export interface SshMount extends MountOwner {
  readonly type: 'ssh'
  readonly id: string
  readonly target?: string
  readonly required: boolean
}

/** One `--mount`, including defaults. */
export type Mount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount
