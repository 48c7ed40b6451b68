import type { Plugin } from 'esbuild'

export const withoutSubtle: Plugin
export function bundleWorker(folder: string): Promise<void>
