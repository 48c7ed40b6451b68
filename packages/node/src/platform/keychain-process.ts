/** Program of its own: reads one request on stdin, asks the system's keychain, answers on stdout. */
import { text } from 'node:stream/consumers'
import { AsyncEntry } from '@napi-rs/keyring'
import type { KeychainAnswer, KeychainRequest } from './keychain.ts'

const SERVICE = 'Skein'

const request = JSON.parse(await text(process.stdin)) as KeychainRequest
process.stdout.write(JSON.stringify(await answer(request).catch(() => ({ ok: false, secret: null }))))

async function answer({ action, entry: name, secret }: KeychainRequest): Promise<KeychainAnswer> {
  // Without this the library would fall back to the kernel's keyring, which forgets everything at a restart.
  const entry = new AsyncEntry(SERVICE, name, { linux: { store: 'secret-service' } })
  if (action === 'remove') return { ok: await entry.deletePassword(), secret: null }
  if (action === 'put') await entry.setPassword(secret ?? '')
  return { ok: true, secret: await entry.getPassword() }
}
