/** Gives the tokens of a template one by one, and makes the errors about them. */
import { invalidArgument } from '../base/index.ts'
import { showToken, type Token, tokenize } from './lexer.ts'
import type { Statement } from './nodes.ts'

/** Reads tokens with one token of lookahead. */
export class TokenReader {
  readonly #template: string
  readonly #name: string
  readonly #tokens: readonly Token[]
  #next = 0
  #line = 1

  constructor(template: string, name: string) {
    this.#template = template
    this.#name = name
    this.#tokens = tokenize(template)
  }

  /** Takes the next token. At the end of the template, gives the last token again. */
  next(): Token {
    const token = this.peek()
    this.#next++
    this.#line = lineOf(this.#template, token.offset)
    return token
  }

  /** Gives the next token without taking it. */
  peek(): Token {
    return this.#tokens[this.#next] ?? (this.#tokens.at(-1) as Token)
  }

  /** Takes the next token that is not a space. */
  nextNonSpace(): Token {
    for (;;) {
      const token = this.next()
      if (token.kind !== 'space') return token
    }
  }

  /** Skips spaces, and gives the next token without taking it. */
  peekNonSpace(): Token {
    while (this.peek().kind === 'space') this.next()
    return this.peek()
  }

  /** Takes the last token back, so that it is read again. */
  backup(): void {
    this.#next--
  }

  /** An error at the line of the token read last. */
  error(text: string): Error {
    return invalidArgument(`template: ${this.#name}:${this.#line}: ${text}`)
  }

  /** The error for a token that must not be here. */
  unexpected(token: Token, context: string): Error {
    this.#line = lineOf(this.#template, token.offset)
    if (token.kind === 'error') return this.error(token.text)
    return this.error(`unexpected ${showToken(token)} in ${context}`)
  }
}

function lineOf(template: string, offset: number): number {
  return template.slice(0, offset).split('\n').length
}

/** True when there is only white space. Such a definition may be replaced. */
export function isTrivial(nodes: readonly Statement[]): boolean {
  return nodes.every((node) => node.kind === 'text' && node.text.trim() === '')
}
