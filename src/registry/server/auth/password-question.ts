/** A request to the thread that checks passwords. */
export interface PasswordQuestion {
  readonly id: number
  readonly password: string
  readonly hash: string
}

/** The thread's answer. */
export interface PasswordAnswer {
  readonly id: number
  readonly matches: boolean
}
