/** `X-Docker-Container-Path-Stat`: what is at a path of a container. */
export interface ContainerPathStat {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** As Go's `fs.FileMode`: permissions, and its own bits for the kind. */
  readonly mode: number
  /** RFC 3339 with nanoseconds. */
  readonly mtime: string
  /** Of a symlink: where it leads in the end, inside the container; else ''. */
  readonly linkTarget: string
}
