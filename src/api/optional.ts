/** A JSON object sent by a client: any field may be absent or null, and both mean its zero value,
 *  as Docker's clients (Go's zero values, JavaScript's undefined) expect. */
export type Optional<T> = { readonly [K in keyof T]?: T[K] | null | undefined }

/** A JSON object used as a set: `{"80/tcp": {}}`. */
export type WireSet = Readonly<Record<string, object>>

/** String keys and values: labels, driver options, sysctls. */
export type StringMap = Readonly<Record<string, string>>
