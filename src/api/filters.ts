/** The decoded `filters` parameter of lists, prunes and events: each key with the values that the client gave for it.
 *  Of most keys any value may match; of `label` all must. An empty list means that the key was not asked for. */
export type Filters = Readonly<Record<string, readonly string[]>>
