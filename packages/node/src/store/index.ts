/** The messenger's database: one drizzle schema and one set of migrations for every SQLite; this is the Node.js driver. */
export * from './better-sqlite3.ts'
