/** Go templates for `--format`. https://pkg.go.dev/text/template */
import { type ExecuteOptions, Execution } from './execution.ts'
import { functionNames } from './functions.ts'
import { type ParsedTemplate, parseTemplate } from './parser.ts'

/** A parsed template, which can be executed for any number of objects. */
export class GoTemplate {
  readonly #source: string
  readonly #name: string
  readonly #parsed: ParsedTemplate

  /** Throws `invalidArgument` with Go's text (`template: :1: unclosed action`). `name` is for messages. */
  constructor(source: string, name = '') {
    this.#source = source
    this.#name = name
    this.#parsed = parseTemplate(source, name, functionNames)
  }

  /** Gives the text for one object. Throws `ExecutionError` with Go's text. */
  execute(data: unknown, options: ExecuteOptions = {}): string {
    return new Execution(this.#source, this.#name, this.#parsed, options).run(data)
  }
}
