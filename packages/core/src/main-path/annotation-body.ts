/** What can be said about a message. */
import type { StoredAnnotation } from '../ports/store.ts'
import type { ContentBody } from '../wire/content.ts'

export type AnnotationBody = Extract<ContentBody, { kind: StoredAnnotation['kind'] }>

export function isAnnotation(body: ContentBody): body is AnnotationBody {
  return body.kind === 'reaction' || body.kind === 'edit' || body.kind === 'deletion'
}

export function wordsIn(body: AnnotationBody): string {
  if (body.kind === 'edit') return body.text
  return body.kind === 'reaction' ? body.emoji : ''
}
