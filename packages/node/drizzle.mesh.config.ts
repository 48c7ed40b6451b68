import { defineConfig } from 'drizzle-kit'

export default defineConfig({ dialect: 'sqlite', schema: './src/mesh/schema.ts', out: './src/mesh/migrations' })
