export { deprecationWarnings, upgradeCreateBody } from './create-body.ts'
export { downgradeImageInspect, downgradeImageSummary, shapeVersion } from './images.ts'
export { checkApiVersion, splitVersionedPath } from './negotiation.ts'
export { downgradeDiskUsage, downgradeInfo, withLegacyMembers } from './system.ts'
