/** `X-Docker-Container-Path-Stat`: what is at a path of a container. */
export interface ContainerPathStat {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** As in Go's `fs.FileMode`: permission bits, and Go's bits for the kind of file. */
  readonly mode: number
  /** RFC 3339 with nanoseconds. */
  readonly mtime: string
  /** Of a symlink: the path in the container that it resolves to. Of other files empty. */
  readonly linkTarget: string
}
