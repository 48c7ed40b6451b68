import { en } from '../strings/en.ts'

export default function NotFound() {
  return (
    <main className="p-6">
      <h1 className="text-xl font-semibold">{en.notFound.title}</h1>
      <a className="text-accent underline" href="/">
        {en.notFound.home}
      </a>
    </main>
  )
}
