/** Drops undefined members, so that a request's body has only what the user asked for. */
export function definedOnly<T extends object>(value: { readonly [K in keyof T]?: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T
}
