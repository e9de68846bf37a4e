/** The value of `# check=` and of the build argument BUILDKIT_DOCKERFILE_CHECK: `skip=A,B;error=true`.
 *  https://docs.docker.com/reference/dockerfile/#check */

/** Which checks run, and whether warnings fail the build. */
export interface CheckOptions {
  /** Names of rules, or `all`. */
  readonly skip: readonly string[]
  /** Experimental rules to run too, or `all`. */
  readonly experimental: readonly string[]
  /** A violation fails the build. */
  readonly error: boolean
}

const truths: Readonly<Record<string, boolean>> = {
  ...{ 1: true, t: true, T: true, TRUE: true, true: true, True: true },
  ...{ 0: false, f: false, F: false, FALSE: false, false: false, False: false },
}

/** Parses Go's words for true and false. Undefined for others. */
export function parseBoolean(text: string): boolean | undefined {
  return Object.hasOwn(truths, text) ? truths[text] : undefined
}

/** Gives the options, or a message about what is wrong. An empty value sets nothing. */
export function parseCheckOptions(value: string): CheckOptions | string {
  const options = { skip: [] as string[], experimental: [] as string[], error: false }
  for (const part of value.split(';').filter((one) => one.trim() !== '')) {
    const equals = part.indexOf('=')
    if (equals === -1) return `invalid check option "${part}"`
    const key = part.slice(0, equals).trim()
    const text = part.slice(equals + 1)
    if (key === 'skip' || key === 'experimental') options[key] = text.split(',').map((one) => one.trim())
    else if (key === 'error') {
      const error = parseBoolean(text.trim())
      if (error === undefined) return `failed to parse check option "${part}": "${text.trim()}" is no boolean`
      options.error = error
    } else return `invalid check option "${part}"`
  }
  return options
}
