import { LookProvider, useStrings } from '../client/context.tsx'

/** Instead of a page that does not exist. */
export function NotHere() {
  return (
    <LookProvider>
      <Sentence />
    </LookProvider>
  )
}

function Sentence() {
  const { notFound } = useStrings()
  return (
    <main className="p-6">
      <h1 className="text-xl font-semibold">{notFound.title}</h1>
      <a className="text-accent underline" href="/">
        {notFound.home}
      </a>
    </main>
  )
}
