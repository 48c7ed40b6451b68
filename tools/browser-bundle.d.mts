import type { Plugin } from 'esbuild'

export const standIns: Plugin
export function bundleWorker(folder: string): Promise<void>
