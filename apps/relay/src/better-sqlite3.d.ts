/** The part of better-sqlite3 13 that the relay uses; the package brings no types. */
declare module 'better-sqlite3' {
  export interface Statement {
    run(...values: unknown[]): { readonly changes: number }
    get(...values: unknown[]): unknown
    all(...values: unknown[]): unknown[]
  }
  export default class Database {
    constructor(file: string, options?: { readonly timeout?: number })
    prepare(sql: string): Statement
    exec(sql: string): this
    pragma(sql: string): unknown
    close(): this
  }
}
