import type { Settings } from 'node:http2'

/** Large windows, because whole directories travel over these connections. */
export const connectionSettings: Settings = { initialWindowSize: 4 * 1024 * 1024, enablePush: false }
/** The window of a whole connection, for all its streams. */
export const connectionWindowBytes = 16 * 1024 * 1024
