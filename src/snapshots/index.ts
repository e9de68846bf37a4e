export type { LayerMapping } from './mapped-layers.ts'
export { OverlaySnapshotter } from './overlay-snapshotter.ts'
export type {
  CommitOptions,
  MountOptions,
  PrepareOptions,
  SnapshotInfo,
  Snapshotter,
  SnapshotUsage,
} from './snapshotter.ts'
export { Trash } from './trash.ts'
