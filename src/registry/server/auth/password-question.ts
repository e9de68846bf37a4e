/** What the thread that checks passwords is asked. */
export interface PasswordQuestion {
  readonly id: number
  readonly password: string
  readonly hash: string
}

/** What it answers. */
export interface PasswordAnswer {
  readonly id: number
  readonly matches: boolean
}
