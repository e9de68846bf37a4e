/** Types of fsutil's packets. https://github.com/tonistiigi/fsutil */
export const packetType = { stat: 0, request: 1, data: 2, end: 3, error: 4 } as const
