/** A page without an interface: the client as a page runs it, its API in the hands of the test. */
import { type ApiClient, openBrowser } from '../../packages/node/dist/browser.js'

const wanted = new URLSearchParams(globalThis.location.search)
const failures: string[] = []

const tab = openBrowser({
  name: 'test',
  config: { name: wanted.get('name') ?? '', relays: wanted.getAll('relay') },
  startWorker: () => new Worker('/store-worker.js', { type: 'module' }),
  startFileWorker: () => new Worker('/file-worker.js', { type: 'module' }),
  passphrase: async () => wanted.get('passphrase') ?? undefined,
  onFailure: (error) => failures.push(String(error)),
})

/** Resolves when there is an API to call: this tab's own, or that of the tab that leads. */
function ready(): Promise<ApiClient> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (tab.api === undefined) return
      stop()
      resolve(tab.api)
    }
    const stop = tab.listen(look)
    look()
  })
}

export interface TestPage {
  ready(): Promise<ApiClient>
  readonly failures: readonly string[]
  leads(): boolean
}

const page: TestPage = { ready, failures, leads: () => tab.leads }
Object.assign(globalThis, { skein: page })
