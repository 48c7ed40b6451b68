#!/usr/bin/env node
/** `skein-relay`: turns the compile cache on before anything large is loaded, then hands over to the command line. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { runCommandLine } = await import('./command-line.ts')
await runCommandLine(process.argv.slice(2))
