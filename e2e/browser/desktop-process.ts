/** The desktop program without its window: the address that its window opens. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const DESKTOP = fileURLToPath(new URL('../../apps/desktop/bundle/main.js', import.meta.url))

export class Desktop implements AsyncDisposable {
  private readonly child: ChildProcess
  /** Opens its window, once. */
  readonly url: string

  private constructor(child: ChildProcess, url: string) {
    this.child = child
    this.url = url
  }

  static async start(dataDir: string, relay: string): Promise<Desktop> {
    const args = ['--json', '--no-window', '--data-dir', dataDir, '--relay', relay, '--name', 'Ana']
    const child = spawn(process.execPath, [DESKTOP, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(createInterface({ input: child.stdout }), 'line')
    return new Desktop(child, (JSON.parse(String(line)) as { readonly url: string }).url)
  }

  async end(): Promise<number | null> {
    this.child.kill('SIGTERM')
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit')
    return this.child.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }
}
