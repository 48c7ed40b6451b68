declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { Worker, MessagePort } from 'node:worker_threads'
  import type { Endpoint } from 'comlink'
  export default function nodeEndpoint(port: Worker | MessagePort): Endpoint
}
